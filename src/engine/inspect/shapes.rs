//! Which tensors an architecture is made of, and whether a file has them in the shapes that it must have.
//!
//! In: open headers, and the engines' own [`Spec`] or [`Config`]. Out: what the tensors come to ([`Made`]), or an error that
//! names the first one that is missing or of another shape. No number of a tensor is read and nothing of a tensor's size is
//! allocated: engines ask here before they load.

use std::collections::BTreeMap;

use crate::engine::Error;
use crate::engine::checkpoint::Checkpoint;
use crate::engine::gguf::Gguf;
use crate::engine::llm::config::{Architecture, Config};
use crate::engine::seq2seq::Spec;
use crate::engine::seq2seq::spec::{Naming, NormKind, NormPlacement, Part, Piece, Positions, Role, Side};

/// What the tensors of a model come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Made {
    /// Numbers in matrices, each tied tensor once.
    pub matrices: u64,
    /// Those of them that the file holds as F32.
    pub exact: u64,
    /// Rows of matrices.
    pub rows: u64,
    /// Numbers in vectors: biases, norms, tables.
    pub vectors: u64,
    /// Numbers of the largest tensor.
    pub largest: u64,
}

impl Made {
    fn count(&mut self, shape: &[usize], exact: bool) {
        let numbers = shape.iter().map(|&n| n as u64).product();
        self.largest = self.largest.max(numbers);
        match shape {
            [rows, columns] if *rows > 1 && *columns > 1 => {
                self.matrices += numbers;
                self.rows += *rows as u64;
                self.exact += if exact { numbers } else { 0 };
            }
            _ => self.vectors += numbers,
        }
    }
}

/// One tensor of an encoder-decoder: what it must be.
struct Wanted {
    part: Part,
    piece: Piece,
    /// None where any number of rows will do.
    rows: Option<usize>,
    /// None for vectors.
    columns: Option<usize>,
    required: bool,
}

/// Checks the tensors of an encoder-decoder.
///
/// # Errors
/// [`Error::BadModel`] where one is missing, has another shape, or holds a kind of numbers that weights do not come in.
pub fn encoder_decoder(checkpoint: &Checkpoint, spec: &Spec, naming: &dyn Naming) -> Result<Made, Error> {
    let (mut made, mut seen) = (Made::default(), BTreeMap::new());
    for wanted in wanted(spec) {
        let names = naming.names(wanted.part, wanted.piece);
        let Some(name) = checkpoint.resolve(&names) else {
            match wanted.required {
                true => return Err(checkpoint.missing(&names)),
                false => continue,
            }
        };
        let got = checkpoint.shape(name).unwrap_or_default();
        // A bias may be stored as a row.
        let ones = got.iter().take_while(|&&n| n == 1).count().min(got.len().saturating_sub(1));
        let fits = match (wanted.columns, got.as_slice()) {
            (Some(columns), [rows, width]) => *width == columns && wanted.rows.is_none_or(|want| want == *rows),
            (Some(_), _) => false,
            (None, shape) => wanted.rows.is_none_or(|want| shape[ones..] == [want]),
        };
        if !fits {
            let rows = wanted.rows.map_or_else(|| "tokens".to_owned(), |rows| rows.to_string());
            let expected = wanted.columns.map_or_else(|| format!("[{rows}]"), |columns| format!("[{rows}, {columns}]"));
            let reason = format!("tensor {name:?}: expected shape {expected}, got {got:?}");
            return Err(Error::BadModel { path: checkpoint.file_of(name).to_owned(), reason });
        }
        let dtype = checkpoint.dtype(name).unwrap_or_default();
        if !is_weights(&dtype) {
            let reason = format!("tensor {name:?} holds {dtype}; expected F32, F16, BF16 or a quantised kind");
            return Err(Error::BadModel { path: checkpoint.file_of(name).to_owned(), reason });
        }
        if seen.insert(name.to_owned(), ()).is_none() {
            made.count(&got, false);
        }
    }
    Ok(made)
}

/// Whether numbers of this kind can be weights. Those of GGUF and torch are known by their readers.
fn is_weights(dtype: &str) -> bool {
    const OTHERS: [&str; 12] =
        ["BOOL", "U8", "I8", "I16", "U16", "I32", "U32", "I64", "U64", "F64", "F8_E4M3", "F8_E5M2"];
    !OTHERS.contains(&dtype)
}

/// Lists all tensors that [`crate::engine::seq2seq::Weights`] asks for.
fn wanted(spec: &Spec) -> Vec<Wanted> {
    let mut all = Vec::new();
    let mut matrix = |part, rows, columns| {
        all.push(Wanted { part, piece: Piece::Weight, rows, columns: Some(columns), required: true });
    };
    for part in [Part::Embedding(Side::Encoder), Part::Embedding(Side::Decoder)] {
        matrix(part, None, spec.width);
    }
    matrix(Part::Projection, Some(spec.vocabulary), spec.width);
    if let Positions::Relative { buckets, .. } = spec.positions {
        matrix(Part::RelativeBias(Side::Encoder), Some(buckets), spec.heads[0]);
        matrix(Part::RelativeBias(Side::Decoder), Some(buckets), spec.heads[1]);
    }
    let vector =
        |part, piece, rows| Wanted { part, piece, rows: Some(rows), columns: None, required: piece == Piece::Weight };
    all.push(vector(Part::ProjectionBias, Piece::Bias, spec.vocabulary));
    let norm = |all: &mut Vec<Wanted>, part| {
        all.push(vector(part, Piece::Weight, spec.width));
        if spec.norm == NormKind::Layer {
            all.push(vector(part, Piece::Bias, spec.width));
        }
    };
    for (index, side) in [Side::Encoder, Side::Decoder].into_iter().enumerate() {
        let (inner, wide) = (spec.heads[index] * spec.head_width, spec.feed_forward[index]);
        if spec.placement == NormPlacement::Pre {
            norm(&mut all, Part::FinalNorm(side));
        }
        for layer in 0..spec.layers[index] {
            for &role in roles(side, spec.gated) {
                let part = Part::Layer(side, layer, role);
                let (rows, columns) = match role {
                    Role::Norm | Role::CrossNorm | Role::FeedForwardNorm => {
                        norm(&mut all, part);
                        continue;
                    }
                    Role::Output | Role::CrossOutput => (spec.width, inner),
                    Role::Up | Role::Gate => (wide, spec.width),
                    Role::Down => (spec.width, wide),
                    _ => (inner, spec.width),
                };
                let weight =
                    Wanted { part, piece: Piece::Weight, rows: Some(rows), columns: Some(columns), required: true };
                all.extend([weight, vector(part, Piece::Bias, rows)]);
            }
        }
    }
    all
}

fn roles(side: Side, gated: bool) -> &'static [Role] {
    use Role::{
        CrossKey, CrossNorm, CrossOutput, CrossQuery, CrossValue, Down, FeedForwardNorm, Gate, Key, Norm, Output,
        Query, Up, Value,
    };
    const GATED: [Role; 14] = [
        Gate,
        Query,
        Key,
        Value,
        Output,
        Norm,
        Up,
        Down,
        FeedForwardNorm,
        CrossQuery,
        CrossKey,
        CrossValue,
        CrossOutput,
        CrossNorm,
    ];
    let end = if side == Side::Encoder { 9 } else { GATED.len() };
    &GATED[usize::from(!gated)..end]
}

/// Checks the tensors of a decoder-only model.
///
/// # Errors
/// [`Error::BadModel`] where one is missing, has another shape, or is not supported.
pub fn decoder(gguf: &Gguf, config: &Config) -> Result<Made, Error> {
    let mut made = Made::default();
    let mut check = |name: &str, expected: &[usize]| -> Result<(), Error> {
        let Some(got) = gguf.shape(name) else { return Err(gguf.bad(format!("tensor {name:?} is missing"))) };
        if got != expected {
            return Err(gguf.bad(format!("tensor {name:?}: expected shape {expected:?}, got {got:?}")));
        }
        made.count(got, gguf.dtype(name).as_deref() == Some("F32"));
        Ok(())
    };
    let Config { width, feed_forward, vocabulary, head_width, .. } = *config;
    let (query_width, kv_width) = (config.heads * head_width, config.kv_width());
    check("token_embd.weight", &[vocabulary, width])?;
    check("output_norm.weight", &[width])?;
    if gguf.shape("output.weight").is_some() {
        check("output.weight", &[vocabulary, width])?;
    }
    for layer in 0..config.layers {
        for (tensor, shape) in [
            ("attn_norm", &[width][..]),
            ("attn_q", &[query_width, width]),
            ("attn_k", &[kv_width, width]),
            ("attn_v", &[kv_width, width]),
            ("attn_output", &[width, query_width]),
            ("ffn_norm", &[width]),
            ("ffn_gate", &[feed_forward, width]),
            ("ffn_up", &[feed_forward, width]),
            ("ffn_down", &[width, feed_forward]),
        ] {
            check(&format!("blk.{layer}.{tensor}.weight"), shape)?;
        }
        if config.architecture == Architecture::Gemma3 {
            for (tensor, size) in [
                ("attn_q_norm", head_width),
                ("attn_k_norm", head_width),
                ("post_attention_norm", width),
                ("post_ffw_norm", width),
            ] {
                check(&format!("blk.{layer}.{tensor}.weight"), &[size])?;
            }
        }
    }
    Ok(made)
}
