//! What is written into an artifact: a module's one exported symbol, and records of modules in their section.
//!
//! These are macros because the statics have to be the artifact's own; nothing in them is the user's but a path.

/// Exports a module from a crate that is built to be loaded. A crate that is merely linked in exports nothing.
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ($module:path) => {
        // `helix build` sets the `cfg`, for the one crate that it builds.
        #[allow(unexpected_cfgs)]
        const _: () = {
            #[cfg(helix_export)]
            const _: () = {
                #[unsafe(no_mangle)]
                static HELIX_MODULE: $crate::glue::Export =
                    $crate::glue::Export::of(<$module as $crate::Module>::DESCRIPTOR);
                $crate::__record! { <$module as $crate::Module>::DESCRIPTOR }
            };
        };
    };
}

/// Writes a descriptor's record into the section for them.
#[doc(hidden)]
#[macro_export]
macro_rules! __record {
    ($descriptor:expr) => {
        const _: () = {
            #[used]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,.helix.modinfo"))]
            #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".helix.modinfo"))]
            static RECORD: [::core::primitive::u8; $crate::glue::record_len($descriptor)] =
                $crate::glue::record($descriptor);
        };
    };
}
