//! Whether the disk has room for a file, asked before its first byte is fetched.
//!
//! In: a folder and a registry's file. Out: what is missing. Where the system does not say how much is free (other
//! systems, some network disks), it is not asked, and a full disk shows when it is full.

use std::path::Path;

use crate::registry::ModelFile;

/// Returns how many bytes a file takes at most while its packages are fetched: one lies there twice as pip moves it,
/// beside the parts that are joined already.
pub(super) fn for_packages(file: &ModelFile) -> u64 {
    let bytes = file.bytes.unwrap_or(0);
    let part = bytes.div_ceil((file.wheels.len() as u64).max(1));
    bytes.saturating_add(part.saturating_mul(2))
}

/// Returns the bytes that are free to us in a folder, where the system says so.
#[cfg(unix)]
pub(super) fn free(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    // Some network disks report no size at all.
    (disk.f_blocks > 0).then(|| disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Returns the bytes that are free to us in a folder, where the system says so.
#[cfg(not(unix))]
pub(super) fn free(_folder: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;

    #[test]
    fn packages_need_room_for_the_parts_too() {
        let registry = Registry::built_in();
        let gemma = &registry.find("gemma-3-270m").unwrap().files[0];
        assert_eq!(for_packages(gemma), 253_113_024 + 2 * 63_278_256);
        let smol = &registry.find("smollm2-135m-instruct").unwrap().files[0];
        assert_eq!(for_packages(smol), 3 * 98_362_432);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_has_some_room_and_no_folder_has_none() {
        assert!(free(&std::env::temp_dir()).is_some_and(|bytes| bytes > 0));
        assert_eq!(free(Path::new("/no/such/folder")), None);
    }
}
