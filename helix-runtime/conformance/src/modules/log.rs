//! What everyone needs.

helix_conformance::staged! {
    /// Needs nothing.
    Log (flags = HOT_RELOADABLE, stateless)
}
