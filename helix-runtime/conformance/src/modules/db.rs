//! In the middle.

helix_conformance::staged! {
    /// Needs one, and is needed by one.
    Db (dependencies = ["log"])
}
