//! Needs the counter, and keeps its instance.

helix_conformance::reader! {
    /// Reads the counter, and remembers how often.
    Ledger (dependencies = ["counter"])
}
