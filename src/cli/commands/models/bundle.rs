//! `mujaz models export` and `import`: models in one file, for machines without a network.

use std::io::{IsTerminal, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use mujaz::hub::HubOptions;
use mujaz::hub::bundle::{self, Plan};
use mujaz::registry::Registry;

use super::{find_all, size};
use crate::cli::output;
use crate::cli::printer::Printer;
use crate::cli::progress::Bars;
use crate::cli::report::{CommandError, Kind, Status};

/// What stands for standard input or output.
const STANDARD: &str = "-";

/// Writes a bundle.
pub fn export(
    registry: &Registry,
    ids: &[String],
    output: &Path,
    options: &HubOptions,
    printer: &Printer,
) -> Result<Status, CommandError> {
    let standard = output.as_os_str() == STANDARD;
    if standard && std::io::stdout().is_terminal() {
        let error = CommandError::message(Kind::Usage, "a bundle is no text for a terminal");
        return Err(error.hint("name a file with -o, or send standard output elsewhere"));
    }
    let bars = Bars::new(printer);
    let plan = Plan::new(&find_all(registry, ids)?, options)?;
    for entry in plan.models() {
        let licence = &entry.licence;
        printer.status(&format!(
            "{} is under {} ({}); who passes it on keeps to that: {}.",
            entry.id, licence.name, licence.link, licence.asks
        ));
    }
    if standard {
        plan.write(&mut std::io::stdout().lock(), "standard output", &bars)?;
    } else {
        plan.write_file(output, output::new_file, &bars)?;
    }
    let ids: Vec<&str> = plan.models().iter().map(|entry| entry.id.0.as_str()).collect();
    let place = if standard { "standard output".to_owned() } else { output.display().to_string() };
    printer.status(&format!("{place}: written ({}, {}).", ids.join(", "), size(plan.bytes())));
    Ok(Status::Complete)
}

/// Takes a bundle in.
pub fn import(
    registry: &Registry,
    path: &Path,
    options: &HubOptions,
    printer: &Printer,
) -> Result<Status, CommandError> {
    let bars = Bars::new(printer);
    let imported = if path.as_os_str() == STANDARD {
        if std::io::stdin().is_terminal() {
            let error = CommandError::message(Kind::Usage, "a bundle cannot be typed");
            return Err(error.hint("name a file, or send a bundle to standard input"));
        }
        bundle::import(&mut Waiting::new(std::io::stdin())?, registry, options, &bars)
    } else {
        bundle::import(&mut fs_err::File::open(path)?, registry, options, &bars)
    };
    let imported = imported.map_err(|error| {
        let error = CommandError::from(error);
        CommandError { message: format!("{}: {}", path.display(), error.message), ..error }
    })?;
    for model in imported {
        let (entry, licence) = (&model.entry, &model.entry.licence);
        let what = if model.was_here { "already here, compared" } else { "imported and verified" };
        let new = if model.is_new {
            "; no registry knew it, so its entry was kept too; it is used only when named"
        } else {
            ""
        };
        printer.status(&format!("{}: {what} ({}){new}.", entry.id, size(model.bytes)));
        printer.status(&format!("{} is under {} ({}): {}.", entry.id, licence.name, licence.link, licence.asks));
    }
    Ok(Status::Complete)
}

/// A stream that another thread reads, so that a stop is noticed while nothing comes: reading then fails with
/// [`std::io::ErrorKind::Interrupted`] now and then, whereupon readers look whether to go on.
struct Waiting {
    pieces: Receiver<std::io::Result<Vec<u8>>>,
    piece: Vec<u8>,
    /// How much of it was taken.
    taken: usize,
}

impl Waiting {
    fn new(mut from: impl Read + Send + 'static) -> std::io::Result<Self> {
        let (sender, pieces) = sync_channel(4);
        std::thread::Builder::new().name("input".to_owned()).spawn(move || {
            loop {
                let mut piece = vec![0; 256 << 10];
                let read = match from.read(&mut piece) {
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                    read => read,
                };
                let is_last = !matches!(read, Ok(1..));
                let sent = sender.send(read.map(|read| {
                    piece.truncate(read);
                    piece
                }));
                if is_last || sent.is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { pieces, piece: Vec::new(), taken: 0 })
    }
}

impl Read for Waiting {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.taken == self.piece.len() {
            self.piece = match self.pieces.recv_timeout(Duration::from_millis(100)) {
                Ok(piece) => piece?,
                Err(RecvTimeoutError::Timeout) => return Err(std::io::ErrorKind::Interrupted.into()),
                // The last piece was empty, and came before.
                Err(RecvTimeoutError::Disconnected) => Vec::new(),
            };
            self.taken = 0;
        }
        let read = buffer.len().min(self.piece.len() - self.taken);
        buffer[..read].copy_from_slice(&self.piece[self.taken..self.taken + read]);
        self.taken += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_is_read_elsewhere_is_the_same_stream() {
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
        let mut read = Vec::new();
        Waiting::new(std::io::Cursor::new(bytes.clone())).unwrap().read_to_end(&mut read).unwrap();
        assert_eq!(read, bytes);
    }
}
