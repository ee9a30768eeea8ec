//! One suite of cases for every placement of a module.
//!
//! What a module may rely on does not depend on where it lives. Each case here is a function over a [`Placement`], and
//! reads nothing but the runtime's public surface. A placement is a row: [`rows!`] makes one `#[test]` of each case in it.
//!
//! ```
//! mod rows {
//!     helix_conformance::rows! { linked: helix_conformance::Static }
//! }
//! ```
//!
//! - `modules/` has the modules. Each file is the whole source of a module crate that depends on this one and on the
//!   runtime, so that another row can build a library of it. A module shows what it does by requests and events alone.
//! - `contract.rs` has what they share, and `cases/` what must come of them.
//! - `stage.rs` has what a case needs: to hear what modules say, and to hold one of them in the middle of a handler.

// The modules name this crate as they would from outside.
extern crate self as helix_conformance;

mod cases;
pub mod contract;
pub mod modules;
mod placement;
mod stage;
mod watchdog;

pub use cases::{CASES, Case};
pub use placement::{Part, Placement, Static};
pub use watchdog::run;

/// Makes one `#[test]` of each case for each row: a name, and an expression that makes its [`Placement`].
#[macro_export]
macro_rules! rows {
    ($($row:ident: $placement:expr),* $(,)?) => { $(
        mod $row {
            #[allow(unused_imports)]
            use super::*;
            use $crate::__tests as tests;
            $crate::each_case! { tests [$placement] }
        }
    )* };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    ([$placement:expr] $($topic:ident { $($case:ident)* })*) => { $(
        mod $topic {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[test]
                fn $case() {
                    $crate::run(stringify!($topic), stringify!($case), $placement);
                }
            )*
        }
    )* };
}
