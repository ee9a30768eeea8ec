//! The placements that the runtime itself offers.

helix_conformance::rows! { r#static: helix_conformance::Static }
