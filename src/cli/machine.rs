//! What this machine is, as far as choosing and running models goes.
//!
//! In: the system's own account (through sysinfo; Linux' control groups included). Out: [`Machine`]. Nothing is started and
//! no socket is opened. What is computed with is decided elsewhere: rayon's threads, [`mujaz::engine::simd`].

use std::path::Path;

use mujaz::engine::{kernels, simd};
use serde::Serialize;

/// Facts about this machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Machine {
    /// The processor's name, where the system says it.
    pub processor: Option<String>,
    /// Threads that can run at once, as far as this process may use them.
    pub cores: usize,
    /// Instructions that the translation models compute with.
    pub simd: &'static str,
    /// Instructions that block-quantised weights (GGUF) are multiplied with.
    pub quantised: &'static str,
    /// Memory of the machine, or what this process may use of it; none where the system does not say.
    pub memory_bytes: Option<u64>,
    /// Memory that is free now.
    pub free_memory_bytes: Option<u64>,
    /// Graphics processors, by name.
    pub gpus: Vec<String>,
}

impl Machine {
    /// Looks at the machine.
    pub fn look() -> Self {
        let mut system = sysinfo::System::new();
        system.refresh_memory();
        system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
        let (mut total, mut free) = (system.total_memory(), system.available_memory());
        if let Some(limits) = system.cgroup_limits() {
            // A group without a limit reports the machine's own memory.
            total = total.min(limits.total_memory);
            free = free.min(limits.free_memory);
        }
        let known = |bytes: u64| (bytes > 0).then_some(bytes);
        let processor = system.cpus().first().map(|cpu| cpu.brand().trim().to_owned());
        Self {
            processor: processor.filter(|name| !name.is_empty()),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get),
            simd: simd::level().name(),
            quantised: kernels::instructions(),
            memory_bytes: known(total),
            free_memory_bytes: known(total).and(Some(free)),
            gpus: gpus(Path::new("/")),
        }
    }

    /// Returns the memory that a model may need at most: the rest is for the system and for the articles.
    pub fn for_models(&self) -> Option<u64> {
        self.memory_bytes.map(|bytes| bytes / 5 * 4)
    }
}

/// Finds graphics processors in what the Linux kernel shows below `root`; none on other systems.
fn gpus(root: &Path) -> Vec<String> {
    let listed = |folder: &str| {
        let entries = std::fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
        let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        paths
    };
    let mut found = Vec::new();
    for gpu in listed("proc/driver/nvidia/gpus") {
        let text = std::fs::read_to_string(gpu.join("information")).unwrap_or_default();
        let model = text.lines().find_map(|line| line.strip_prefix("Model:"));
        found.push(model.map_or_else(|| "NVIDIA".to_owned(), |model| model.trim().to_owned()));
    }
    for card in listed("sys/class/drm") {
        // card0 is a device, card0-HDMI-A-1 a plug of it.
        let name = card.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !name.strip_prefix("card").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()) && !rest.is_empty()) {
            continue;
        }
        match std::fs::read_to_string(card.join("device/vendor")).unwrap_or_default().trim() {
            "0x1002" => found.push("AMD".to_owned()),
            "0x8086" => found.push("Intel".to_owned()),
            "0x10de" if found.is_empty() => found.push("NVIDIA".to_owned()),
            // Virtual screens compute nothing.
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_cores_and_memory() {
        let machine = Machine::look();
        assert!(machine.cores >= 1 && !machine.simd.is_empty() && !machine.quantised.is_empty());
        if cfg!(target_os = "linux") {
            let (total, free) = (machine.memory_bytes.unwrap(), machine.free_memory_bytes.unwrap());
            assert!(total > 100 << 20 && free <= total && machine.for_models().unwrap() < total);
        }
    }

    #[test]
    fn graphics_processors_are_found_where_the_kernel_shows_them() {
        let root = tempfile::tempdir().unwrap();
        assert!(gpus(root.path()).is_empty());
        for (path, text) in [
            ("proc/driver/nvidia/gpus/0000:01:00.0/information", "Model: \t\t NVIDIA H100\nIRQ: 4\n"),
            ("sys/class/drm/card0/device/vendor", "0x10de\n"),
            ("sys/class/drm/card1/device/vendor", "0x8086\n"),
            ("sys/class/drm/card1-HDMI-A-1/device/vendor", "0x8086\n"),
            ("sys/class/drm/card2/device/vendor", "0x1af4\n"),
        ] {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        assert_eq!(gpus(root.path()), ["NVIDIA H100", "Intel"]);
    }
}
