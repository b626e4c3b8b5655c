//! The parts of the checks that no test file system can show.

use super::*;

#[test]
fn network_file_systems_are_known_by_their_numbers_and_local_ones_are_not() {
    assert_eq!(kind_of_magic(0x6969), Some("NFS"));
    assert_eq!(kind_of_magic(0xff53_4d42), Some("CIFS"));
    assert_eq!(kind_of_magic(0x6573_5546), Some("FUSE"));
    // ext4, xfs, btrfs, tmpfs, overlay, zfs
    for local in [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630, 0x2fc1_2fc1] {
        assert_eq!(kind_of_magic(local), None);
    }
    let told = PathProblem::Network("NFS").at(Path::new("/home"));
    assert_eq!(told.to_string(), "/home lies on NFS, where locks cannot be relied on");
}

#[test]
fn a_file_that_cannot_be_filled_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    assert_eq!(create(&path, |_| Err(StoreError::Full)), Err(StoreError::Full));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn who_comes_second_leaves_the_first_ones_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let write = |text: &'static str| {
        create(&path, move |mut file| {
            io::Write::write_all(&mut file, text.as_bytes()).map_err(|e| StoreError::from(&e))
        })
    };
    write("first").unwrap();
    write("second").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "first");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_file_without_a_name_is_private_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = nameless(folder.path()).unwrap();
    io::Write::write_all(&mut file, b"x").unwrap();
    let found = file.metadata().unwrap();
    assert_eq!((found.mode() & 0o7777, found.nlink(), found.len()), (0o600, 0, 1));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(is_at_hand(&file));
    assert!(!is_at_hand(&File::open("/dev/null").unwrap()));
}
