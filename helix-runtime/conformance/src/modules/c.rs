//! One of three that call each other.

helix_conformance::relay! {
    /// Calls the others.
    C (name = "c")
}
