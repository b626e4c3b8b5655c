//! Declares an enum together with the fixed label of each variant, so that neither a label nor
//! the list of all variants can be forgotten. Called for the enums of every layer.

/// `NAME.METHOD()` returns the label; `NAME::ALL` lists the variants in their order.
macro_rules! labels {
    (
        $(#[$meta:meta])*
        pub enum $name:ident, $label:ident {
            $($(#[$doc:meta])* $variant:ident $(= $code:literal)? => $text:literal,)*
        }
    ) => {
        $(#[$meta])*
        pub enum $name {
            $($(#[$doc])* $variant $(= $code)?,)*
        }

        impl $name {
            /// Every variant, in the order of the declaration.
            pub const ALL: [Self; [$($text),*].len()] = [$(Self::$variant),*];

            /// The fixed label of this variant.
            pub fn $label(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

pub(crate) use labels;
