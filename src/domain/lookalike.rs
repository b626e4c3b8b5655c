//! Detects names that deceive a reader: a name that mixes scripts, and a name that looks like another
//! one (UTS 39). Such names are allowed, with a warning. Called by plans, forms and the store.

use unicode_security::{confusable_detection::skeleton, mixed_script::AugmentedScriptSet};

/// Whether `text` has letters of scripts that no language mixes, such as Latin and Cyrillic. Latin
/// letters beside Chinese, Japanese or Korean are usual (UTS 39, "Highly Restrictive").
pub fn mixes_scripts(text: &str) -> bool {
    if text.is_ascii() || !AugmentedScriptSet::for_str(text).is_empty() {
        return false;
    }
    let rest: String = text.chars().filter(|character| !character.is_ascii()).collect();
    let scripts = AugmentedScriptSet::for_str(&rest);
    scripts.is_all() || !(scripts.hanb || scripts.jpan || scripts.kore)
}

/// Whether both texts look the same in many fonts.
pub fn looks_alike(one: &str, other: &str) -> bool {
    skeleton(one).eq(skeleton(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latin_with_cyrillic_or_greek_mixes_scripts() {
        for text in ["p\u{430}ypal", "\u{3b1}dmin", "ci-\u{43f}rod"] {
            assert!(mixes_scripts(text), "{text}");
        }
        for text in ["café", "ci-prod", "鍵 prod 2", "キー prod", "ключ-1"] {
            assert!(!mixes_scripts(text), "{text}");
        }
    }

    #[test]
    fn confusable_letters_look_alike() {
        assert!(looks_alike("p\u{430}ypal", "paypal"));
        assert!(looks_alike("\u{441}\u{43e}\u{441}\u{43e}", "coco"));
        assert!(!looks_alike("café", "cafe"));
    }
}
