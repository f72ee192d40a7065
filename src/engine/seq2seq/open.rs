//! A checkpoint becomes an engine.
//!
//! In: the files of a model and a precision. Out: a [`Seq2SeqEngine`]. Reading files is [`crate::engine::checkpoint`]'s,
//! knowing architectures [`super::architecture`]'s, packing weights [`super::weights`]'s.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::translator::{Facts, Seq2SeqEngine};
use super::{Direction, Model, Weights, architecture};
use crate::engine::Error;
use crate::engine::checkpoint::Checkpoint;
use crate::engine::kernels::dense::Precision;

/// Opens a model from its files, by the names that they have on the hub. `label` is what the user calls it, `direction` what
/// it is told of languages.
///
/// # Errors
/// [`Error::UnknownArchitecture`]; [`Error::BadModel`] where a file is missing or broken; [`Error::Io`].
pub fn open(
    files: BTreeMap<String, PathBuf>,
    label: &Path,
    direction: &Direction,
    precision: Precision,
) -> Result<Seq2SeqEngine<Model>, Error> {
    let checkpoint = Checkpoint::open(files)?;
    let found = architecture(&checkpoint, direction)?;
    let weights = Weights::load(&checkpoint, found.naming.as_ref(), &found.spec, precision)?;
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
    Ok(Seq2SeqEngine::new(model, found.tokenizer, found.generation, facts))
}
