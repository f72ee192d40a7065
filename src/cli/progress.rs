//! Bars on a terminal, status lines elsewhere, and Ctrl-C.
//!
//! In: the library's calls to [`Progress`]. Out: what indicatif draws on standard error. A task that takes less than
//! [`QUIET`] shows no bar at all. `NO_COLOR` takes the colour from bars as from messages.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mujaz::progress::Progress;

use super::printer::Printer;

/// How long a task stays without a bar.
const QUIET: Duration = Duration::from_millis(250);
/// Time between two frames of a bar that nothing moves.
const TICK: Duration = Duration::from_millis(120);

/// Set by the first Ctrl-C.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Whether the program waits for input: then the first Ctrl-C ends it, since no work would look at the flag.
static READING: AtomicBool = AtomicBool::new(false);

/// Runs something that reads an input; where that is standard input, one Ctrl-C ends the program meanwhile.
pub fn interruptible<T>(path: &Path, read: impl FnOnce() -> T) -> T {
    READING.store(path.as_os_str() == "-", Ordering::SeqCst);
    let result = read();
    READING.store(false, Ordering::SeqCst);
    result
}

/// Draws the library's progress as the user asked for it.
pub struct Bars {
    printer: Printer,
    colour: bool,
    bar: Mutex<Option<ProgressBar>>,
}

impl Bars {
    /// Makes bars, and takes over Ctrl-C: once asks the work to stop, twice (or once while
    /// input is waited for, see [`interruptible`]) ends the program with exit code 130.
    pub fn new(printer: &Printer) -> Self {
        // An error means that a handler is there already: ours, from an earlier call.
        let _ = ctrlc::set_handler(|| {
            if INTERRUPTED.swap(true, Ordering::SeqCst) || READING.load(Ordering::SeqCst) {
                std::process::exit(130);
            }
        });
        let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { printer: printer.clone(), colour, bar: Mutex::new(None) }
    }

    /// Runs an action on the bar that is shown, if one is.
    fn with_bar(&self, action: impl FnOnce(&ProgressBar)) -> bool {
        // A panic while drawing leaves a bar that can still be drawn.
        let bar = self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        bar.as_ref().inspect(|bar| action(bar)).is_some()
    }

    /// Prints something with the bar taken away meanwhile.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        // A panic while drawing leaves a bar that can still be drawn.
        let bar = self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match bar.as_ref() {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    fn replace(&self, bar: Option<ProgressBar>) {
        let old = std::mem::replace(&mut *self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner), bar);
        if let Some(old) = old {
            old.finish_and_clear();
        }
    }

    fn style(&self, unit: &str) -> ProgressStyle {
        let bar = if self.colour { "{bar:20.cyan/dim}" } else { "{bar:20}" };
        let template = if unit == "bytes" {
            format!(
                "{{prefix}} {bar} {{decimal_bytes}} of {{decimal_total_bytes}}, {{decimal_bytes_per_sec}} {{wide_msg}}"
            )
        } else {
            format!("{{prefix}} {bar} {{pos}} of {{len}} {unit}, {{eta}} left {{wide_msg}}")
        };
        ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─")
    }
}

impl Progress for Bars {
    fn started(&self, task: &str, total: u64, unit: &str) {
        if !self.printer.draws_progress() {
            return;
        }
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden())
            .with_style(self.style(unit))
            .with_prefix(task.to_owned());
        let late = bar.downgrade();
        let spawned = std::thread::Builder::new().name("bar".to_owned()).spawn(move || {
            std::thread::sleep(QUIET);
            if let Some(bar) = late.upgrade().filter(|bar| !bar.is_finished()) {
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar.enable_steady_tick(TICK);
            }
        });
        // Without a thread there is no bar, and the work goes on.
        drop(spawned);
        self.replace(Some(bar));
    }

    fn advanced(&self, done: u64) {
        self.with_bar(|bar| bar.set_position(done));
    }

    fn detail(&self, line: &str) {
        if !self.with_bar(|bar| bar.set_message(line.to_owned())) {
            self.printer.detail(line);
        }
    }

    fn notice(&self, line: &str) {
        self.aside(|| self.printer.status(line));
    }

    fn finished(&self) {
        self.replace(None);
    }

    fn cancelled(&self) -> bool {
        INTERRUPTED.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Cli;
    use clap::Parser;

    #[test]
    fn every_template_is_one_that_indicatif_takes() {
        let cli = Cli::parse_from(["mujaz", "models", "list"]);
        for colour in [true, false] {
            let bars = Bars { printer: Printer::new(&cli.global), colour, bar: Mutex::new(None) };
            for unit in ["bytes", "segments"] {
                let drawn = ProgressBar::hidden().with_style(bars.style(unit));
                drawn.set_position(1);
            }
        }
    }

    #[test]
    fn calls_without_a_task_do_nothing() {
        let cli = Cli::parse_from(["mujaz", "-q", "models", "list"]);
        let bars = Bars::new(&Printer::new(&cli.global));
        bars.advanced(3);
        bars.detail("x");
        bars.finished();
        assert!(!bars.cancelled());
    }
}
