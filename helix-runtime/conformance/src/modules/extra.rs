//! Comes late.

helix_conformance::staged! {
    /// Stands alone.
    Extra ()
}
