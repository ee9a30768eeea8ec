//! At the top.

helix_conformance::staged! {
    /// Needs the others.
    App (dependencies("db", "log"))
}
