//! A checkpoint becomes an engine.
//!
//! In: the files of a model and a precision. Out: a [`Seq2SeqEngine`]. Reading files is [`crate::engine::checkpoint`]'s,
//! knowing architectures [`super::architecture()`]'s, packing weights [`super::weights`]'s, keeping packed ones
//! [`super::store`]'s.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::store::{Store, Stored};
use super::translator::{Facts, Seq2SeqEngine};
use super::{Direction, Model, Weights, architecture};
use crate::engine::Error;
use crate::engine::checkpoint::{Checkpoint, Files};
use crate::engine::decode::Room;
use crate::engine::inspect::shapes;
use crate::engine::kernels::dense::Precision;

/// Opens a model from its files, by the names that they have on the hub. `label` is what the user calls it, `direction` what
/// it is told of languages. Nothing is written.
///
/// # Errors
/// [`Error::UnknownArchitecture`]; [`Error::BadModel`] where a file is missing or broken; [`Error::Io`].
pub fn open(
    files: BTreeMap<String, PathBuf>,
    label: &Path,
    direction: &Direction,
    precision: Precision,
) -> Result<Seq2SeqEngine<Model>, Error> {
    open_stored(files, label, direction, precision, None).map(|(engine, _)| engine)
}

/// Opens a model as [`open`] does, and keeps its weights in int8 for the next start in the folder `cache`, which must be the
/// caller's own: what lies there is believed (see [`super::store`]). Without one nothing is kept, and nothing read.
///
/// # Errors
/// As [`open`]; none where the weights cannot be kept.
pub fn open_stored(
    files: impl Into<Files>,
    label: &Path,
    direction: &Direction,
    precision: Precision,
    cache: Option<&Path>,
) -> Result<(Seq2SeqEngine<Model>, Stored), Error> {
    open_checkpoint(&Checkpoint::open(files)?, label, direction, precision, cache)
}

/// Makes an engine of a checkpoint that is open, as [`open_stored`] does.
///
/// # Errors
/// As [`open`]; none where the weights cannot be kept.
pub fn open_checkpoint(
    checkpoint: &Checkpoint,
    label: &Path,
    direction: &Direction,
    precision: Precision,
    cache: Option<&Path>,
) -> Result<(Seq2SeqEngine<Model>, Stored), Error> {
    let read = || {
        let store = cache.and_then(|cache| Store::new(checkpoint, precision, cache));
        let read = store.as_ref().map(Store::read);
        (store, read)
    };
    let ((store, read), found) = rayon::join(read, || architecture(checkpoint, direction));
    let found = found?;
    let (kept, refused) = match read {
        Some(Ok(kept)) => {
            kept.weights(&found.spec).map_or_else(|refused| (None, Some(refused)), |kept| (Some(kept), None))
        }
        Some(Err(refused)) => (None, refused),
        None => (None, None),
    };
    let (weights, stored) = match kept {
        Some((weights, path)) => (weights, Stored::Read(path)),
        None => {
            shapes::encoder_decoder(checkpoint, &found.spec, found.naming.as_ref())?;
            let weights = Weights::load(checkpoint, found.naming.as_ref(), &found.spec, precision)?;
            let stored = store.map_or(Stored::Off, |store| store.write(checkpoint, &weights, refused));
            (weights, stored)
        }
    };
    let model = Model::new(found.spec, weights);
    let positions = Some(model.max_positions()).filter(|&limit| limit < usize::MAX);
    let declared = match checkpoint.tokenizer_config() {
        // Some files say 1e30 for "any".
        Some(config) => config.f32("model_max_length")?.filter(|&length| (1.0..1e6).contains(&length)),
        None => None,
    };
    let max_source = [positions, declared.map(|length| length as usize)].into_iter().flatten().min();
    let facts = Facts {
        model: label.display().to_string(),
        revision: String::new(),
        precision: precision.to_string(),
        max_source,
        max_target: positions,
    };
    let mut engine = Seq2SeqEngine::new(model, found.tokenizer, found.generation, facts);
    if precision == Precision::F32 {
        // The weights are four times as large: one batch on all threads, so that they come from memory once (measured: 3 to 8 %).
        engine.set_room(Room { workers: Some(1), ..Room::default() });
    }
    Ok((engine, stored))
}
