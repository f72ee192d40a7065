//! A [`ModelEntry`](crate::registry) becomes files on this disk: from the cache, the hub, or packages.
//!
//! In: a registry entry. Out: local paths whose bytes and SHA-256 are those of the entry. Reading the files is
//! [`crate::engine`]'s. This is the only module that opens sockets or starts programs.
