//! Cannot go.

helix_conformance::staged! {
    /// Essential, and can be replaced all the same.
    Kernel (flags = ESSENTIAL | HOT_RELOADABLE, stateless)
}
