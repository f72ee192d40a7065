//! `mujaz models verify`: reads all bytes again.
//!
//! What is kept of them for a quicker start goes, so that the next start makes it of the bytes that were verified.

use mujaz::engine::seq2seq::store;
use mujaz::hub::{self, HubOptions, Verdict};
use mujaz::registry::Registry;

use super::find_all;
use crate::cli::crew::packed_folder;
use crate::cli::models::seen_on;
use crate::cli::printer::Printer;
use crate::cli::progress::Bars;
use crate::cli::report::{CommandError, Kind, Status};

/// Runs the command.
pub fn run(
    registry: &Registry,
    options: &HubOptions,
    ids: &[String],
    printer: &Printer,
) -> Result<Status, CommandError> {
    let bars = Bars::new(printer);
    let all = ids.is_empty();
    let entries: Vec<_> = if all { registry.models().iter().collect() } else { find_all(registry, ids)? };
    let (mut good, mut wrong, mut by_hand) = (0_usize, Vec::new(), true);
    // Those of a model that is named by its path are in the second place.
    let kept = entries.iter().map(|entry| packed_folder(options, Some(entry))).chain([packed_folder(options, None)]);
    let dropped = kept.map(|folder| store::forget(&folder)).sum::<std::io::Result<usize>>()?;
    if dropped > 0 {
        printer.detail(&format!("packed weights were dropped, to be made anew at the next start: {dropped}"));
    }
    for entry in entries {
        // Before anything is read: what is recorded now for the first time was not verified against anything.
        let seen = hub::first_seen(entry, options)?;
        let verdicts = hub::verify(entry, options, &bars)?;
        // Without ids, a model of which nothing is here is none of those to verify.
        if all && verdicts.iter().all(|(_, verdict)| matches!(verdict, Verdict::Missing)) {
            continue;
        }
        by_hand &= entry.files.iter().all(|file| file.by_hand);
        for (name, verdict) in verdicts {
            let line = match verdict {
                Verdict::Good(path) => {
                    good += 1;
                    let pinned = entry.files.iter().any(|file| file.name == name && file.is_pinned());
                    let date = seen.iter().find(|(seen, _)| *seen == name).map(|(_, date)| seen_on(*date));
                    let how = match (pinned, date) {
                        (true, _) => "is good".to_owned(),
                        (false, Some(date)) => format!("is what it was ({date})"),
                        (false, None) => "is recorded as it is now (unverified)".to_owned(),
                    };
                    format!("{}: {name} {how} ({})", entry.id, path.display())
                }
                Verdict::Missing => {
                    wrong.push(format!("{}: {name} is not here", entry.id));
                    continue;
                }
                Verdict::Damaged(path, mismatch) => {
                    wrong.push(format!("{}: {} is damaged: {mismatch}", entry.id, path.display()));
                    continue;
                }
            };
            printer.data(format!("{line}\n").as_bytes())?;
        }
    }
    if !wrong.is_empty() {
        let error = CommandError::message(Kind::Model, wrong.join("; "));
        return Err(error.hint(if by_hand {
            "put what is missing or damaged there anew: mujaz models add ID PATH"
        } else {
            "fetch what is missing or damaged anew: mujaz models pull ID"
        }));
    }
    if good == 0 {
        printer.status("No model is here, so there is nothing to verify.");
    }
    Ok(Status::Complete)
}
