//! Articles read by all cores, and given back in the order of the inputs.
//!
//! In: what a walk found. Out: each article with its document, what was passed over, what failed. One thread opens files
//! and archives while the others read what came out of them; a batch is bounded in articles and bytes, and at most three
//! are in memory, so that a folder of any size takes the same.

use std::sync::mpsc::sync_channel;

use mujaz::document::{self, Document, ReadOptions};
use mujaz::options::Options;
use mujaz::pipeline;
use mujaz::source::walk::{Found, Skipped};
use mujaz::source::{Error, Part, SourceFile};
use rayon::prelude::*;

use super::progress::interruptible;
use super::report::{CommandError, Kind};
use super::work::{guarded, told};

/// Articles of a batch: enough that a slow one does not leave the other cores idle for long.
const ARTICLES: usize = 64;
/// A batch ends early where its articles have this many bytes.
const BYTES: usize = 16 * 1024 * 1024;

/// Something that an input gave.
pub enum Given {
    /// An article that was read; its bytes are gone.
    Read(Box<(SourceFile, Document)>),
    /// An article that could not be read, and why.
    Refused(SourceFile, String),
    /// Something that was passed over.
    Skipped(Skipped),
    /// Something that could not be opened.
    Failed(Error),
}

/// Reads all inputs; `each` gets what they give, in order, with the place of the input. It returns whether to go on.
///
/// # Errors
/// Where the encoding is not one, and what `each` returns.
pub fn read_all(
    inputs: &[Found],
    options: &Options,
    mut each: impl FnMut(usize, Given) -> Result<bool, CommandError>,
) -> Result<(), CommandError> {
    let how = pipeline::reading(options).map_err(|error| CommandError::new(Kind::Usage, &error))?;
    std::thread::scope(|scope| {
        let (sender, batches) = sync_channel::<Vec<(usize, Part)>>(1);
        scope.spawn(move || {
            let mut batch = Vec::new();
            let mut bytes = 0usize;
            for (place, found) in inputs.iter().enumerate() {
                // The label was looked up above.
                let Ok(mut parts) = interruptible(&found.path, || pipeline::open(found, options)) else { return };
                while let Some(part) = interruptible(&found.path, || parts.next()) {
                    bytes += if let Part::Article(file) = &part { file.bytes.len() } else { 0 };
                    batch.push((place, part));
                    if batch.len() >= ARTICLES || bytes >= BYTES {
                        bytes = 0;
                        if sender.send(std::mem::take(&mut batch)).is_err() {
                            return;
                        }
                    }
                }
            }
            // An error means that nobody wants more.
            let _ = sender.send(batch);
        });
        for batch in batches {
            let read = |(place, part): (usize, Part)| {
                let given = match part {
                    Part::Article(file) => read(file, &how),
                    Part::Skipped(skipped) => Given::Skipped(skipped),
                    Part::Failed(error) => Given::Failed(error),
                };
                (place, given)
            };
            let given: Vec<(usize, Given)> = batch.into_par_iter().with_max_len(1).map(read).collect();
            for (place, given) in given {
                if !each(place, given)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    })
}

fn read(mut file: SourceFile, how: &ReadOptions<'_>) -> Given {
    let name = file.name();
    let read = guarded(&name, || document::read(&file, how).map_err(|error| told(&file.path, &name, &error)));
    file.bytes = Vec::new();
    match read {
        Ok(document) => Given::Read(Box::new((file, document))),
        Err(reason) => Given::Refused(file, reason),
    }
}
