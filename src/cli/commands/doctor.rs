//! `mujaz doctor`: what mujaz sees of this machine and of the models here, and what it would choose and why.
//!
//! In: the machine, the environment, the caches, the registry. Out: a report for people or one JSON object. Unless
//! `--offline` is given, one connection to the hub (or to the proxy before it) is tried and nothing is asked of it. Exit
//! code 1 where nothing here can translate.

use std::path::{Path, PathBuf};

use mujaz::engine::load;
use mujaz::hub::{self, HubOptions, Reach};
use mujaz::registry::{ModelEntry, Registry, Task};
use serde::Serialize;

use super::models::size;
use crate::cli::args::{DoctorArgs, GlobalArgs};
use crate::cli::choose::{Considered, consider, offered, taken, terms};
use crate::cli::machine::Machine;
use crate::cli::models::{hub_options, registry};
use crate::cli::printer::Printer;
use crate::cli::report::{CommandError, Kind, Status};

/// All that is seen.
#[derive(Debug, Serialize)]
struct Report {
    version: &'static str,
    machine: Machine,
    threads: usize,
    /// What computes: this build has one answer.
    device: &'static str,
    memory_for_models_bytes: Option<u64>,
    caches: Caches,
    network: Network,
    models: Vec<Installed>,
    choice: Vec<Chosen>,
}

#[derive(Debug, Serialize)]
struct Caches {
    hub: PathBuf,
    own: PathBuf,
    free_bytes: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Network {
    endpoint: String,
    offline: bool,
    /// Whether the hub takes a connection; null where that was not tried.
    reachable: Option<bool>,
    reason: Option<String>,
    proxied: bool,
    token: bool,
    ca_file: Option<PathBuf>,
    /// Where Python is, which fetches packages where the hub is out of reach; null where it is not on PATH.
    python: Option<PathBuf>,
}

/// A model that is here.
#[derive(Debug, Serialize)]
struct Installed {
    id: String,
    good_for: String,
    bytes: u64,
    memory_bytes: u64,
    licence: String,
    runs: bool,
    fits: bool,
}

/// What would be chosen for a task.
#[derive(Debug, Serialize)]
struct Chosen {
    task: &'static str,
    model: Option<String>,
    why: String,
    /// What stands against models that are here.
    passed_over: Vec<String>,
    /// Better models that could be fetched, with the terms.
    better: Vec<Better>,
}

#[derive(Debug, Serialize)]
struct Better {
    id: String,
    terms: String,
    command: String,
}

/// Runs the command.
pub fn run(args: &DoctorArgs, global: &GlobalArgs, printer: &Printer) -> Result<Status, CommandError> {
    let (registry, options) = (registry(global, printer)?, hub_options(global)?);
    let report = examine(&registry, &options);
    let can_translate = report.choice.first().is_some_and(|choice| choice.model.is_some());
    let text = if args.json {
        let json = serde_json::to_string_pretty(&report).map_err(|error| CommandError::new(Kind::Internal, &error))?;
        format!("{json}\n")
    } else {
        in_words(&report)
    };
    printer.data(text.as_bytes())?;
    Ok(if can_translate { Status::Complete } else { Status::Partial })
}

fn examine(registry: &Registry, options: &HubOptions) -> Report {
    let machine = Machine::look();
    let usable = machine.for_models();
    let here = |entry: &ModelEntry| hub::seems_here(entry, options);
    let models = registry.models().iter().filter_map(|entry| Some(installed(entry, &here(entry)?, usable))).collect();
    let is_here = |entry: &ModelEntry| here(entry).is_some();
    let translators = consider(registry, Task::Translate, usable, is_here);
    let left = taken(&translators).map_or(0, |entry| entry.memory_bytes);
    let writers = consider(registry, Task::Summarize, usable.map(|usable| usable.saturating_sub(left)), is_here);
    Report {
        version: env!("CARGO_PKG_VERSION"),
        threads: rayon::current_num_threads(),
        device: "CPU",
        memory_for_models_bytes: usable,
        caches: Caches {
            hub: options.hub_cache.clone(),
            own: options.own_cache.clone(),
            free_bytes: hub::free_bytes(&options.hub_cache),
        },
        network: network(options),
        models,
        choice: vec![translator(&translators), writer(&writers)],
        machine,
    }
}

fn installed(entry: &ModelEntry, paths: &[PathBuf], usable: Option<u64>) -> Installed {
    let on_disk = |path: &PathBuf| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    Installed {
        id: entry.id.0.clone(),
        good_for: good_for(entry),
        bytes: paths.iter().map(on_disk).sum(),
        memory_bytes: entry.memory_bytes,
        licence: entry.licence.name.clone(),
        runs: load::runs(&entry.architecture),
        fits: usable.is_none_or(|usable| entry.memory_bytes <= usable),
    }
}

fn good_for(entry: &ModelEntry) -> String {
    let task = |task: &Task| match task {
        Task::Translate if entry.draft => "translates (drafts)",
        Task::Translate => "translates",
        Task::Summarize => "words bullets",
    };
    entry.task.iter().map(task).collect::<Vec<_>>().join(", ")
}

fn network(options: &HubOptions) -> Network {
    let reach = hub::reach(options);
    let (reachable, reason) = match reach {
        Reach::Open => (Some(true), None),
        Reach::Closed(reason) => (Some(false), Some(reason)),
        Reach::NotTried => (None, None),
    };
    Network {
        endpoint: options.endpoint.clone(),
        offline: options.offline,
        reachable,
        reason,
        proxied: options.proxied,
        token: options.token.is_some(),
        ca_file: options.ca_file.clone(),
        python: on_path(&["python3", "python"]),
    }
}

/// Looks for a program without starting it.
fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let candidates = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.flat_map(|path| [path.with_extension("exe"), path]).find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    path.is_file()
}

fn passed_over(list: &[Considered<'_>]) -> Vec<String> {
    let against = |model: &Considered<'_>| Some(format!("{}: {}", model.entry.id, model.obstacle?));
    list.iter().filter(|model| model.here).filter_map(against).collect()
}

fn better(list: &[Considered<'_>]) -> Vec<Better> {
    let of = |entry: &&ModelEntry| Better {
        id: entry.id.0.clone(),
        terms: terms(entry),
        command: format!("mujaz models pull {}", entry.id),
    };
    offered(list).iter().map(of).collect()
}

fn translator(list: &[Considered<'_>]) -> Chosen {
    let (entry, better) = (taken(list), better(list));
    let why = match (entry, better.first()) {
        (Some(entry), None) => format!("{} is the best translator of the registry that fits into memory", entry.id),
        (Some(entry), Some(_)) => format!("{} is the best translator that is here and fits into memory", entry.id),
        (None, Some(best)) => format!("no translator is here; {} is the one for this machine", best.id),
        (None, None) => "no translator of the registry can be used on this machine".to_owned(),
    };
    let model = entry.map(|entry| entry.id.0.clone());
    Chosen { task: "translate", model, why, passed_over: passed_over(list), better }
}

fn writer(list: &[Considered<'_>]) -> Chosen {
    let entry = taken(list);
    let why = match entry {
        Some(entry) => {
            format!("with --summarizer auto; {} is the best one here that fits beside the translator", entry.id)
        }
        None => "bullets are sentences of the translation (extractive): no model for them is here that fits".to_owned(),
    };
    let model = entry.map(|entry| entry.id.0.clone());
    Chosen { task: "summarize", model, why, passed_over: passed_over(list), better: better(list) }
}

fn in_words(report: &Report) -> String {
    let Report { machine, caches, network, .. } = report;
    let known = |bytes: Option<u64>| bytes.map_or_else(|| "not known".to_owned(), size);
    let mut lines = vec![
        format!("mujaz {}, computes on the {}", report.version, report.device),
        String::new(),
        "Machine".to_owned(),
        format!("  processor   {}", machine.processor.as_deref().unwrap_or("not known")),
        format!("  cores       {} ({} threads compute)", machine.cores, report.threads),
        format!("  SIMD        {}; quantised weights: {}", machine.simd, machine.quantised),
        format!(
            "  memory      {}, {} free; models may use {}",
            known(machine.memory_bytes),
            known(machine.free_memory_bytes),
            known(report.memory_for_models_bytes)
        ),
    ];
    lines.push(match machine.gpus.as_slice() {
        [] => "  GPU         none seen".to_owned(),
        gpus => format!("  GPU         {} (not used: this build computes on the CPU only)", gpus.join(", ")),
    });
    lines.extend([
        String::new(),
        "Caches".to_owned(),
        format!("  hub         {}", caches.hub.display()),
        format!("  own         {}", caches.own.display()),
        format!("  free        {}", known(caches.free_bytes)),
        String::new(),
        "Network".to_owned(),
    ]);
    let reachable = match (&network.reachable, &network.reason) {
        (Some(true), _) => "reachable".to_owned(),
        (Some(false), reason) => format!("not reachable ({})", reason.as_deref().unwrap_or("no reason given")),
        (None, _) => "not tried: offline".to_owned(),
    };
    lines.push(format!("  hub         {}: {reachable}", network.endpoint));
    let yes = |yes: bool, what: &str| if yes { what.to_owned() } else { "none".to_owned() };
    lines.push(format!("  proxy       {}", yes(network.proxied, "from the environment")));
    lines.push(format!("  token       {}", yes(network.token, "there (not shown)")));
    if let Some(file) = &network.ca_file {
        lines.push(format!("  CA file     {}", file.display()));
    }
    lines.push(match &network.python {
        Some(path) => format!("  packages    {} fetches them with pip where the hub is out of reach", path.display()),
        None => "  packages    cannot be fetched: python3 is not on PATH".to_owned(),
    });
    lines.extend([String::new(), "Models here".to_owned()]);
    if report.models.is_empty() {
        lines.push("  none".to_owned());
    }
    let width = report.models.iter().map(|model| model.id.len()).max().unwrap_or(0);
    for model in &report.models {
        let mut line = format!(
            "  {:<width$}  {}; {} on disk, {} of memory, {}",
            model.id,
            model.good_for,
            size(model.bytes),
            size(model.memory_bytes),
            model.licence
        );
        if !model.runs {
            line.push_str("; no engine for it");
        } else if !model.fits {
            line.push_str("; too large for this machine");
        }
        lines.push(line);
    }
    lines.extend([String::new(), "Choice".to_owned()]);
    for choice in &report.choice {
        let none = if choice.task == "translate" { "none" } else { "extractive" };
        lines.push(format!("  {:<11} {}", choice.task, choice.model.as_deref().unwrap_or(none)));
        lines.push(format!("              {}", choice.why));
        lines.extend(choice.passed_over.iter().map(|against| format!("              passed over: {against}")));
        if let Some(better) = choice.better.first() {
            lines.push(format!("              better: {} ({})", better.command, better.terms));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_models_is_told_which_one_is_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut options = HubOptions::new(folder.path().join("hub"), folder.path().join("mujaz"));
        options.offline = true;
        let report = examine(&Registry::built_in(), &options);
        assert!(report.models.is_empty() && report.network.reachable.is_none());
        assert!(report.choice[0].model.is_none() && !report.choice[0].better.is_empty());
        let text = in_words(&report);
        for part in ["Machine", "  cores ", "not tried: offline", "mujaz models pull ", "extractive", "of memory"] {
            assert!(text.contains(part), "{part:?} is missing:\n{text}");
        }
    }
}
