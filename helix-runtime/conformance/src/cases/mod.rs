//! The cases, by topic, and the one list of them.

use crate::Placement;

mod lifecycle;

/// One case.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// What it is about.
    pub topic: &'static str,
    /// What it shows.
    pub name: &'static str,
    pub(crate) run: fn(&dyn Placement),
}

/// Hands the list of cases to a macro, after what it is given for it. A case that is not listed is never used, which the
/// compiler says.
#[doc(hidden)]
#[macro_export]
macro_rules! each_case {
    ($then:ident $($args:tt)*) => { $then! { $($args)*
        lifecycle {
            dependencies_start_first_and_stop_last
        }
    } };
}

macro_rules! table {
    ($($topic:ident { $($case:ident)* })*) => {
        /// Every case there is.
        pub const CASES: &[Case] =
            &[$($(Case { topic: stringify!($topic), name: stringify!($case), run: $topic::$case },)*)*];
    };
}
each_case! { table }
