//! Needs whoever counts, and keeps its instance.

helix_conformance::reader! {
    /// Reads the counter, and remembers how often.
    Ledger (dependencies = ["counting"])
}
