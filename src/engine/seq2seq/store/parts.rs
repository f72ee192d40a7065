//! Weights taken apart into named parts, and put together again.
//!
//! In: [`Weights`], or [`Parts`] and the model's [`Spec`]. Out: the other. Sharing stays: what was one matrix is one matrix.

use std::sync::Arc;

use super::container::{Part, Parts};
use crate::engine::kernels::dense::Matrix;
use crate::engine::seq2seq::spec::{NormKind, NormPlacement, Positions, Side, Spec};
use crate::engine::seq2seq::weights::{
    CrossAttention, FeedForward, Layer, Linear, Norm, SelfAttention, Weights, index,
};

const SIDES: [(Side, &str); 2] = [(Side::Encoder, "encoder"), (Side::Decoder, "decoder")];

/// Names all parts of a model.
pub(super) fn apart(weights: &Weights) -> Parts {
    let mut parts = Parts::new();
    let Weights { embeddings, projection, layers, final_norms, relative } = weights;
    linear(&mut parts, "projection", projection);
    for (side, name) in SIDES {
        let side = index(side);
        parts.insert(format!("{name}.embedding"), Part::Matrix(Arc::clone(&embeddings[side])));
        if let Some(own) = &final_norms[side] {
            norm(&mut parts, &format!("{name}.norm"), own);
        }
        if let Some(values) = &relative[side] {
            parts.insert(format!("{name}.relative"), Part::List(values.clone()));
        }
        for (number, layer) in layers[side].iter().enumerate() {
            let name = format!("{name}.{number}");
            let Layer { attention, cross, feed_forward } = layer;
            linear(&mut parts, &format!("{name}.attention.qkv"), &attention.qkv);
            linear(&mut parts, &format!("{name}.attention.output"), &attention.output);
            norm(&mut parts, &format!("{name}.attention.norm"), &attention.norm);
            if let Some(cross) = cross {
                linear(&mut parts, &format!("{name}.cross.query"), &cross.query);
                linear(&mut parts, &format!("{name}.cross.kv"), &cross.kv);
                linear(&mut parts, &format!("{name}.cross.output"), &cross.output);
                norm(&mut parts, &format!("{name}.cross.norm"), &cross.norm);
            }
            linear(&mut parts, &format!("{name}.feed_forward.up"), &feed_forward.up);
            linear(&mut parts, &format!("{name}.feed_forward.down"), &feed_forward.down);
            norm(&mut parts, &format!("{name}.feed_forward.norm"), &feed_forward.norm);
        }
    }
    parts
}

fn linear(parts: &mut Parts, name: &str, linear: &Linear) {
    parts.insert(format!("{name}.weight"), Part::Matrix(Arc::clone(&linear.matrix)));
    if let Some(bias) = &linear.bias {
        parts.insert(format!("{name}.bias"), Part::List(bias.clone()));
    }
}

fn norm(parts: &mut Parts, name: &str, norm: &Norm) {
    parts.insert(format!("{name}.weight"), Part::List(norm.weight.clone()));
    if let Some(bias) = &norm.bias {
        parts.insert(format!("{name}.bias"), Part::List(bias.clone()));
    }
}

/// Puts a model together; none where a part is missing, has another shape than the model's, or is none of it.
pub(super) fn together(parts: Parts, spec: &Spec) -> Option<Weights> {
    let mut rest = Rest(parts);
    let projection = rest.linear("projection", spec.vocabulary, spec.width)?;
    let [encoder, decoder] = SIDES.map(|(side, name)| rest.half(side, name, spec));
    let (encoder, decoder) = (encoder?, decoder?);
    let weights = Weights {
        embeddings: [encoder.embedding, decoder.embedding],
        projection,
        layers: [encoder.layers, decoder.layers],
        final_norms: [encoder.norm, decoder.norm],
        relative: [encoder.relative, decoder.relative],
    };
    rest.0.is_empty().then_some(weights)
}

/// All of a side.
struct Half {
    embedding: Arc<Matrix>,
    layers: Vec<Layer>,
    norm: Option<Norm>,
    relative: Option<Vec<f32>>,
}

/// Parts that nothing has asked for yet.
struct Rest(Parts);

impl Rest {
    fn matrix(&mut self, name: &str, rows: Option<usize>, columns: usize) -> Option<Arc<Matrix>> {
        match self.0.remove(name)? {
            Part::Matrix(matrix) => {
                let fits = matrix.columns() == columns && rows.is_none_or(|rows| rows == matrix.rows());
                fits.then_some(matrix)
            }
            Part::List(_) => None,
        }
    }

    fn list(&mut self, name: &str, count: usize) -> Option<Vec<f32>> {
        match self.0.remove(name)? {
            Part::List(values) => (values.len() == count).then_some(values),
            Part::Matrix(_) => None,
        }
    }

    /// The inner none: there is no such part.
    fn bias(&mut self, name: &str, count: usize) -> Option<Option<Vec<f32>>> {
        let name = format!("{name}.bias");
        if self.0.contains_key(&name) { self.list(&name, count).map(Some) } else { Some(None) }
    }

    fn linear(&mut self, name: &str, rows: usize, columns: usize) -> Option<Linear> {
        let matrix = self.matrix(&format!("{name}.weight"), Some(rows), columns)?;
        Some(Linear { matrix, bias: self.bias(name, rows)? })
    }

    fn norm(&mut self, name: &str, spec: &Spec) -> Option<Norm> {
        let weight = self.list(&format!("{name}.weight"), spec.width)?;
        let bias = match spec.norm {
            NormKind::Layer => self.bias(name, spec.width)?,
            NormKind::Rms => None,
        };
        Some(Norm { weight, bias })
    }

    fn half(&mut self, side: Side, name: &str, spec: &Spec) -> Option<Half> {
        let at = index(side);
        let embedding = self.matrix(&format!("{name}.embedding"), None, spec.width)?;
        let layers = (0..spec.layers[at]).map(|layer| self.layer(side, &format!("{name}.{layer}"), spec));
        let layers = layers.collect::<Option<Vec<Layer>>>()?;
        let norm = match spec.placement {
            NormPlacement::Pre => Some(self.norm(&format!("{name}.norm"), spec)?),
            NormPlacement::Post => None,
        };
        let relative = match spec.positions {
            Positions::Relative { buckets, .. } => {
                Some(self.list(&format!("{name}.relative"), buckets * spec.heads[at])?)
            }
            Positions::Absolute(_) => None,
        };
        Some(Half { embedding, layers, norm, relative })
    }

    fn layer(&mut self, side: Side, name: &str, spec: &Spec) -> Option<Layer> {
        let (width, wide) = (spec.width, spec.feed_forward[index(side)]);
        let inner = spec.heads[index(side)] * spec.head_width;
        let attention = SelfAttention {
            qkv: self.linear(&format!("{name}.attention.qkv"), 3 * inner, width)?,
            output: self.linear(&format!("{name}.attention.output"), width, inner)?,
            norm: self.norm(&format!("{name}.attention.norm"), spec)?,
        };
        let cross = match side {
            Side::Encoder => None,
            Side::Decoder => Some(CrossAttention {
                query: self.linear(&format!("{name}.cross.query"), inner, width)?,
                kv: self.linear(&format!("{name}.cross.kv"), 2 * inner, width)?,
                output: self.linear(&format!("{name}.cross.output"), width, inner)?,
                norm: self.norm(&format!("{name}.cross.norm"), spec)?,
            }),
        };
        let feed_forward = FeedForward {
            up: self.linear(&format!("{name}.feed_forward.up"), if spec.gated { 2 * wide } else { wide }, width)?,
            down: self.linear(&format!("{name}.feed_forward.down"), width, wide)?,
            norm: self.norm(&format!("{name}.feed_forward.norm"), spec)?,
        };
        Some(Layer { attention, cross, feed_forward })
    }
}
