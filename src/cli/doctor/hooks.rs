//! The hooks of the config and their queue in the report: programs that cannot run or that others can
//! change, runs that wait, that have failed, and those of hooks that the config does not have.

use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt as _, path::Path};

use super::{DoctorReport, check_permissions};
use crate::{
    domain::{Hook, counted},
    service::{HookRunState, Service},
};

pub(super) fn collect(report: &mut DoctorReport, service: &Service) {
    let hooks: Vec<_> = service.hooks().iter().map(Hook::name).collect();
    report.fact("hooks", hooks);
    service.hooks().iter().for_each(|hook| check_program(report, hook));
    let runs = match service.hook_runs() {
        Ok(runs) => runs,
        Err(error) => return report.unknown("runs of hooks", &error.to_string()),
    };
    report.fact("runs of hooks", runs.len());
    // Per hook: the number of runs that wait, that have failed, and that have no hook.
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for stored in &runs {
        let [waiting, failed, without_hook] = counts.entry(&stored.run.hook).or_default();
        match stored.state {
            HookRunState::Waiting => *waiting += 1,
            HookRunState::Failed => *failed += 1,
            HookRunState::WithoutHook => *without_hook += 1,
            HookRunState::Running => {}
        }
    }
    for (hook, [waiting, failed, without_hook]) in counts {
        if waiting > 0 {
            let runs = counted(waiting, "run");
            report.warn(format!(
                "{runs} of hook {hook} left by a process that ended early: the next change or \
                 `patdeck hooks run` runs them"
            ));
        }
        if failed > 0 {
            let runs = counted(failed, "failed run");
            report.warn(format!(
                "{runs} of hook {hook}: `patdeck hooks` shows why; correct the cause, then run \
                 `patdeck hooks run`"
            ));
        }
        if without_hook > 0 {
            let runs = counted(without_hook, "run");
            report.warn(format!(
                "{runs} of hook {hook}, which this config does not have: add the hook, or run \
                 `patdeck hooks discard {hook}`"
            ));
        }
    }
}

/// Warns if the program of `hook` cannot run, or if another user can change it. A program without a
/// folder is looked up when it runs.
fn check_program(report: &mut DoctorReport, hook: &Hook) {
    let program = hook.command().next().map(Path::new).filter(|path| path.is_absolute());
    let Some(program) = program else { return };
    let (name, shown) = (hook.name(), program.display());
    match fs::metadata(program) {
        Err(error) => report.warn(format!("hook {name} cannot run {shown} ({error})")),
        Ok(metadata) if !metadata.is_file() || metadata.mode() & 0o111 == 0 => {
            report.warn(format!("hook {name} cannot run {shown}: run `chmod u+x {shown}`"));
        }
        Ok(metadata) => {
            check_permissions(report, program, &metadata, &format!("what hook {name} runs"));
        }
    }
}
