//! Macro that declares an enum with a fixed label for each variant. Labels and `ALL` are generated
//! from the declaration, so that neither can miss a variant. Used by the enums of every layer.

/// `pub enum NAME, METHOD` declares `NAME` with `NAME.METHOD()`, which returns the label.
/// `pub enum NAME, ALL, METHOD` also declares `NAME::ALL`, the variants in their order.
macro_rules! labels {
    (
        $(#[$meta:meta])*
        pub enum $name:ident, $(#[$all:meta])* ALL, $label:ident {
            $($(#[$doc:meta])* $variant:ident $(= $code:literal)? => $text:literal,)*
        }
    ) => {
        $crate::domain::labelled_enum::labels! {
            $(#[$meta])*
            pub enum $name, $label {
                $($(#[$doc])* $variant $(= $code)? => $text,)*
            }
        }

        impl $name {
            /// Every variant, in the order of the declaration.
            $(#[$all])*
            pub const ALL: [Self; [$($text),*].len()] = [$(Self::$variant),*];
        }
    };
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
