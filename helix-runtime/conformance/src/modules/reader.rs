//! Needs the counter, and can be made anew.

helix_conformance::reader! {
    /// Reads the counter.
    Reader (dependencies = ["counter"], flags = HOT_RELOADABLE, stateless)
}
