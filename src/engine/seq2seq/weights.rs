//! The weights of an encoder-decoder, packed for the kernels.
//!
//! In: tensors by name ([`Tensors`]), a [`Spec`] and the architecture's [`Naming`]. Out: [`Weights`]. One tensor at a time is
//! held in f32. Queries are scaled here once, so that attention need not; matrices that read the same rows are packed into one.

use std::sync::Arc;

use candle_core::Tensor;

use super::spec::{Naming, NormKind, NormPlacement, Part, Piece, Positions, Role, Side, Spec};
use crate::engine::Error;
use crate::engine::checkpoint::Checkpoint;
use crate::engine::kernels::dense::{Buffer, Epilogue, Input, Matrix, Precision, Threads};
use crate::engine::llm::model::with_values;

/// Where tensors come from.
pub trait Tensors {
    /// Returns the first of the names that there is.
    fn find(&self, names: &[String]) -> Option<String>;

    /// Reads a tensor that is there, as f32 on the CPU.
    ///
    /// # Errors
    /// Where its shape is another, or it cannot be read.
    fn read(&self, name: &str, shape: &[usize]) -> Result<Tensor, Error>;

    /// Returns the shape of a tensor that is there.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn shape(&self, name: &str) -> Result<Vec<usize>, Error>;

    /// Makes an error that names the file.
    fn bad(&self, reason: String) -> Error;
}

impl Tensors for Checkpoint {
    fn find(&self, names: &[String]) -> Option<String> {
        self.resolve(names).map(str::to_owned)
    }

    fn read(&self, name: &str, shape: &[usize]) -> Result<Tensor, Error> {
        self.expect(&[name.to_owned()], shape)
    }

    fn shape(&self, name: &str) -> Result<Vec<usize>, Error> {
        Checkpoint::shape(self, name).ok_or_else(|| self.missing(&[name.to_owned()]))
    }

    fn bad(&self, reason: String) -> Error {
        Error::BadModel { path: self.weights_path().to_owned(), reason }
    }
}

/// A linear layer: `x · wᵀ + b`.
#[derive(Debug, Clone)]
pub struct Linear {
    pub(super) matrix: Arc<Matrix>,
    pub(super) bias: Option<Vec<f32>>,
}

impl Linear {
    /// Multiplies rows. x: (r, columns). Returns (r, rows).
    pub(super) fn forward(
        &self,
        x: &[f32],
        activation: Option<crate::engine::kernels::dense::Activation>,
        threads: Threads,
    ) -> Result<Buffer, Error> {
        let input = Input::new(x, self.matrix.columns(), self.matrix.precision()).map_err(tensor)?;
        self.matrix.product(&input, Epilogue { bias: self.bias.as_deref(), activation }, threads).map_err(tensor)
    }
}

/// Weight and bias of a norm; no bias where it has none.
#[derive(Debug, Clone)]
pub struct Norm {
    pub(super) weight: Vec<f32>,
    pub(super) bias: Option<Vec<f32>>,
}

/// Self-attention.
#[derive(Debug, Clone)]
pub struct SelfAttention {
    /// Queries, keys and values below each other: (3 * heads * `head_width`, width).
    pub(super) qkv: Linear,
    pub(super) output: Linear,
    pub(super) norm: Norm,
}

/// Attention of the decoder to the encoder's states.
#[derive(Debug, Clone)]
pub struct CrossAttention {
    pub(super) query: Linear,
    /// Keys and values below each other: (2 * heads * `head_width`, width).
    pub(super) kv: Linear,
    pub(super) output: Linear,
    pub(super) norm: Norm,
}

/// The feed-forward network.
#[derive(Debug, Clone)]
pub struct FeedForward {
    /// (`feed_forward`, width), or gate and up below each other where it is gated.
    pub(super) up: Linear,
    pub(super) down: Linear,
    pub(super) norm: Norm,
}

/// A layer; cross-attention in the decoder only.
#[derive(Debug, Clone)]
pub struct Layer {
    pub(super) attention: SelfAttention,
    pub(super) cross: Option<CrossAttention>,
    pub(super) feed_forward: FeedForward,
}

/// All weights of a model.
#[derive(Debug, Clone)]
pub struct Weights {
    /// (tokens, width) of encoder and decoder; often the same.
    pub(super) embeddings: [Arc<Matrix>; 2],
    /// (vocabulary, width); often the decoder's embeddings.
    pub(super) projection: Linear,
    /// Layers of encoder and decoder.
    pub(super) layers: [Vec<Layer>; 2],
    /// Norms at the ends; pre-norm models only.
    pub(super) final_norms: [Option<Norm>; 2],
    /// Biases by distance, (buckets, heads).
    pub(super) relative: [Option<Vec<f32>>; 2],
}

pub(super) fn tensor(error: crate::engine::kernels::Error) -> Error {
    Error::Tensor(error.into())
}

/// The index of a side in pairs.
pub(super) fn index(side: Side) -> usize {
    match side {
        Side::Encoder => 0,
        Side::Decoder => 1,
    }
}

/// Copies the values of a tensor out.
fn values(tensor: &Tensor) -> Result<Vec<f32>, Error> {
    Ok(tensor.flatten_all()?.to_vec1()?)
}

/// Leaves weights as they are.
fn as_is(_: Role, _: &mut Vec<f32>, _: usize) {}

/// Puts rows of `row` values from (heads, head width) into the order (head width, heads).
fn interleaved(values: &[f32], heads: usize, row: usize) -> Vec<f32> {
    let head_width = values.len() / row / heads;
    let order = (0..head_width).flat_map(|d| (0..heads).map(move |head| head * head_width + d));
    order.flat_map(|at| &values[at * row..][..row]).copied().collect()
}

/// Reads parts of one checkpoint.
struct Loader<'a> {
    tensors: &'a dyn Tensors,
    naming: &'a dyn Naming,
    spec: &'a Spec,
    precision: Precision,
}

impl Weights {
    /// Reads and packs all weights of a model.
    ///
    /// # Errors
    /// Where a tensor is missing, has another shape than the [`Spec`] says, or holds what is not a number.
    pub fn load(tensors: &dyn Tensors, naming: &dyn Naming, spec: &Spec, precision: Precision) -> Result<Self, Error> {
        let loader = Loader { tensors, naming, spec, precision };
        let (embeddings, projection) = loader.vocabulary()?;
        let layers = |side: Side| -> Result<Vec<Layer>, Error> {
            (0..spec.layers[index(side)]).map(|layer| loader.layer(side, layer)).collect()
        };
        let ends = |side| match spec.placement {
            NormPlacement::Pre => loader.norm(Part::FinalNorm(side)).map(Some),
            NormPlacement::Post => Ok(None),
        };
        let relative = |side| match spec.positions {
            Positions::Relative { buckets, .. } => {
                let shape = [buckets, spec.heads[index(side)]];
                loader.required(Part::RelativeBias(side), Piece::Weight, &shape).map(Some)
            }
            Positions::Absolute(_) => Ok(None),
        };
        Ok(Self {
            embeddings,
            projection,
            layers: [layers(Side::Encoder)?, layers(Side::Decoder)?],
            final_norms: [ends(Side::Encoder)?, ends(Side::Decoder)?],
            relative: [relative(Side::Encoder)?, relative(Side::Decoder)?],
        })
    }

    /// Says how many bytes the matrices take in memory.
    pub fn bytes(&self) -> usize {
        let mut seen: Vec<*const Matrix> = Vec::new();
        let mut bytes = 0;
        for matrix in self.matrices() {
            if !seen.contains(&Arc::as_ptr(matrix)) {
                seen.push(Arc::as_ptr(matrix));
                bytes += matrix.bytes();
            }
        }
        bytes
    }

    fn matrices(&self) -> impl Iterator<Item = &Arc<Matrix>> {
        let of_layers = self.layers.iter().flatten().flat_map(|layer| {
            let cross = layer.cross.iter().flat_map(|cross| [&cross.query, &cross.kv, &cross.output]);
            let own = [&layer.attention.qkv, &layer.attention.output, &layer.feed_forward.up, &layer.feed_forward.down];
            own.into_iter().chain(cross).map(|linear| &linear.matrix)
        });
        self.embeddings.iter().chain(std::iter::once(&self.projection.matrix)).chain(of_layers)
    }
}

impl Loader<'_> {
    fn optional(&self, part: Part, piece: Piece, shape: &[usize]) -> Result<Option<Vec<f32>>, Error> {
        match self.tensors.find(&self.naming.names(part, piece)) {
            Some(name) => Ok(Some(values(&self.tensors.read(&name, shape)?)?)),
            None => Ok(None),
        }
    }

    fn required(&self, part: Part, piece: Piece, shape: &[usize]) -> Result<Vec<f32>, Error> {
        self.optional(part, piece, shape)?.ok_or_else(|| self.missing(part, piece))
    }

    fn missing(&self, part: Part, piece: Piece) -> Error {
        let names = self.naming.names(part, piece);
        self.tensors.bad(format!("tensor of {part:?} is missing (looked for {})", names.join(", ")))
    }

    /// Reads both embeddings and the projection; what is one tensor in the checkpoint is one matrix here.
    fn vocabulary(&self) -> Result<([Arc<Matrix>; 2], Linear), Error> {
        let parts = [Part::Embedding(Side::Encoder), Part::Embedding(Side::Decoder), Part::Projection];
        let mut read: Vec<(String, Arc<Matrix>)> = Vec::new();
        let mut matrices = Vec::new();
        for part in parts {
            let names = self.naming.names(part, Piece::Weight);
            let name = self.tensors.find(&names).ok_or_else(|| self.missing(part, Piece::Weight))?;
            if let Some((_, matrix)) = read.iter().find(|(other, _)| *other == name) {
                matrices.push(Arc::clone(matrix));
                continue;
            }
            let rows = match self.tensors.shape(&name)?.as_slice() {
                [rows, columns] if *columns == self.spec.width => *rows,
                shape => {
                    let reason = format!("tensor {name} has shape {shape:?}, expected (tokens, {})", self.spec.width);
                    return Err(self.tensors.bad(reason));
                }
            };
            let read_now = self.tensors.read(&name, &[rows, self.spec.width])?;
            let packed = with_values(&read_now, |values| self.pack(&[values], self.spec.width, part))?;
            let matrix = Arc::new(packed?);
            read.push((name, Arc::clone(&matrix)));
            matrices.push(matrix);
        }
        let [source, target, output]: [Arc<Matrix>; 3] = matrices.try_into().expect("there are three parts");
        if output.rows() != self.spec.vocabulary {
            let reason = format!("the output projection has {} rows, expected {}", output.rows(), self.spec.vocabulary);
            return Err(self.tensors.bad(reason));
        }
        let bias = match self.tensors.find(&self.naming.names(Part::ProjectionBias, Piece::Bias)) {
            // Marian keeps it as one row.
            Some(name) if self.tensors.shape(&name)?.len() == 2 => {
                Some(values(&self.tensors.read(&name, &[1, self.spec.vocabulary])?)?)
            }
            Some(name) => Some(values(&self.tensors.read(&name, &[self.spec.vocabulary])?)?),
            None => None,
        };
        Ok(([source, target], Linear { matrix: output, bias: bias.filter(|bias| bias.iter().any(|&b| b != 0.0)) }))
    }

    fn pack(&self, parts: &[&[f32]], columns: usize, part: Part) -> Result<Matrix, Error> {
        Matrix::pack(parts, columns, self.precision).map_err(|error| self.tensors.bad(format!("{part:?}: {error}")))
    }

    /// Reads projections of the same rows, each `rows` by `columns`, into one. `change` gets a part's weights, then its bias,
    /// with the values a row.
    fn linear(
        &self,
        side: Side,
        layer: usize,
        roles: &[Role],
        rows: usize,
        columns: usize,
        change: impl Fn(Role, &mut Vec<f32>, usize),
    ) -> Result<Linear, Error> {
        let (mut weights, mut biases) = (Vec::new(), Vec::new());
        for &role in roles {
            let part = Part::Layer(side, layer, role);
            let mut weight = self.required(part, Piece::Weight, &[rows, columns])?;
            change(role, &mut weight, columns);
            weights.push(weight);
            let mut bias = self.optional(part, Piece::Bias, &[rows])?;
            if let Some(bias) = &mut bias {
                change(role, bias, 1);
            }
            biases.push(bias);
        }
        let bias = biases.iter().any(Option::is_some).then(|| {
            let none = vec![0f32; rows];
            biases.iter().flat_map(|bias| bias.as_ref().unwrap_or(&none)).copied().collect()
        });
        let slices: Vec<&[f32]> = weights.iter().map(Vec::as_slice).collect();
        let matrix = self.pack(&slices, columns, Part::Layer(side, layer, roles[0]))?;
        Ok(Linear { matrix: Arc::new(matrix), bias })
    }

    fn norm(&self, part: Part) -> Result<Norm, Error> {
        let width = [self.spec.width];
        let weight = self.required(part, Piece::Weight, &width)?;
        let bias = match self.spec.norm {
            NormKind::Layer => self.optional(part, Piece::Bias, &width)?,
            NormKind::Rms => None,
        };
        Ok(Norm { weight, bias })
    }

    fn layer(&self, side: Side, layer: usize) -> Result<Layer, Error> {
        let Spec { width, head_width, query_scale, gated, .. } = *self.spec;
        let heads = self.spec.heads[index(side)];
        let inner = heads * head_width;
        let wide = self.spec.feed_forward[index(side)];
        let norm = |role| self.norm(Part::Layer(side, layer, role));
        // A hypothesis' own tokens are attended to with the heads side by side: see `path`.
        let side_by_side = (side == Side::Decoder).then_some(heads);
        let attention = SelfAttention {
            qkv: self.linear(
                side,
                layer,
                &[Role::Query, Role::Key, Role::Value],
                inner,
                width,
                |role, values, row| {
                    if role == Role::Query {
                        values.iter_mut().for_each(|value| *value *= query_scale);
                    }
                    if let Some(heads) = side_by_side {
                        *values = interleaved(values, heads, row);
                    }
                },
            )?,
            output: self.linear(side, layer, &[Role::Output], width, inner, |_, values, row| {
                if let Some(heads) = side_by_side.filter(|_| row > 1) {
                    *values = values.chunks_exact(row).flat_map(|row| interleaved(row, heads, 1)).collect();
                }
            })?,
            norm: norm(Role::Norm)?,
        };
        let cross = match side {
            Side::Encoder => None,
            Side::Decoder => Some(CrossAttention {
                query: self.linear(side, layer, &[Role::CrossQuery], inner, width, |_, values, _| {
                    values.iter_mut().for_each(|value| *value *= query_scale);
                })?,
                kv: self.linear(side, layer, &[Role::CrossKey, Role::CrossValue], inner, width, as_is)?,
                output: self.linear(side, layer, &[Role::CrossOutput], width, inner, as_is)?,
                norm: norm(Role::CrossNorm)?,
            }),
        };
        let up: &[Role] = if gated { &[Role::Gate, Role::Up] } else { &[Role::Up] };
        let feed_forward = FeedForward {
            up: self.linear(side, layer, up, wide, width, as_is)?,
            down: self.linear(side, layer, &[Role::Down], width, wide, as_is)?,
            norm: norm(Role::FeedForwardNorm)?,
        };
        Ok(Layer { attention, cross, feed_forward })
    }
}
