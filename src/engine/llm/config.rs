//! What a GGUF file says about a decoder-only model: sizes, norms, positions.
//!
//! In: metadata and tensor shapes. Out: [`Config`], checked, so that the model can rely on it. Keys and defaults are those of
//! llama.cpp (`src/llama-model.cpp`, `src/models/{gemma3,llama}.cpp`).

use crate::engine::Error;
use crate::engine::gguf::Gguf;

/// Families of models that there is code for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// Gemma 3, text only: norms before and after each part, GELU, sliding windows.
    Gemma3,
    /// Llama and what shares its layout (`SmolLM`): norms before each part, `SiLU`.
    Llama,
}

/// The names by which GGUF files call the architectures.
pub const KNOWN: &str = "gemma3, llama";

/// The rotary embedding of a kind of layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Rope {
    /// Base of the wavelengths.
    pub base: f32,
    /// What positions are multiplied by (linear scaling).
    pub scale: f32,
    /// For each pair of dimensions, what its frequency is divided by; empty for none.
    pub divisors: Vec<f32>,
}

/// Sizes and constants of one model.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The family.
    pub architecture: Architecture,
    /// Layers.
    pub layers: usize,
    /// Width of the residual stream, d.
    pub width: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; divides `heads`.
    pub kv_heads: usize,
    /// Width of a head; even.
    pub head_width: usize,
    /// Width inside the feed-forward part.
    pub feed_forward: usize,
    /// Entries of the vocabulary.
    pub vocabulary: usize,
    /// Longest sequence the model was made for, in tokens.
    pub context: usize,
    /// Added to the mean square before the root.
    pub eps: f32,
    /// What embeddings are multiplied by.
    pub embedding_scale: f32,
    /// What queries are multiplied by.
    pub query_scale: f32,
    /// Dimensions of a head that are rotated; even.
    pub rope_width: usize,
    /// Positions of layers that see everything.
    pub rope_global: Rope,
    /// Positions of layers with a window.
    pub rope_local: Rope,
    /// How many positions, its own included, a token sees in a layer with a window.
    pub window: Option<usize>,
}

/// Every sixth layer of Gemma 3 sees everything (`set_swa_pattern(6)`).
const GEMMA3_PATTERN: usize = 6;

impl Config {
    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// [`Error::UnknownArchitecture`], or [`Error::BadModel`] where a key is missing or a value cannot be.
    pub fn load(gguf: &mut Gguf) -> Result<Self, Error> {
        let name = gguf.str("general.architecture")?.to_owned();
        let architecture = match name.as_str() {
            "gemma3" => Architecture::Gemma3,
            "llama" => Architecture::Llama,
            _ => {
                return Err(Error::UnknownArchitecture {
                    path: gguf.path().to_owned(),
                    architecture: name,
                    known: KNOWN.to_owned(),
                });
            }
        };
        let key = |suffix: &str| format!("{name}.{suffix}");
        if gguf.optional_usize(&key("expert_count"))?.is_some_and(|experts| experts > 0) {
            return Err(gguf.bad("models with experts are not supported"));
        }
        let embedding = gguf.shape("token_embd.weight").unwrap_or_default().to_vec();
        let gate = gguf.shape("blk.0.ffn_gate.weight").unwrap_or_default().to_vec();
        let (&[vocabulary, width], &[feed_forward, _]) = (&embedding[..], &gate[..]) else {
            return Err(gguf.bad("token_embd.weight or blk.0.ffn_gate.weight is missing or not a matrix"));
        };
        let heads = gguf.usize(&key("attention.head_count"))?;
        let kv_heads = gguf.optional_usize(&key("attention.head_count_kv"))?.unwrap_or(heads);
        let default_width = width.checked_div(heads).unwrap_or(0);
        let head_width = gguf.optional_usize(&key("attention.key_length"))?.unwrap_or(default_width);
        let value_width = gguf.optional_usize(&key("attention.value_length"))?.unwrap_or(default_width);
        let layers = gguf.usize(&key("block_count"))?;
        let rope_width = gguf.optional_usize(&key("rope.dimension_count"))?.unwrap_or(head_width);
        let gemma = architecture == Architecture::Gemma3;
        let window = if gemma { gguf.optional_usize(&key("attention.sliding_window"))? } else { None };
        let config = Self {
            architecture,
            layers,
            width,
            heads,
            kv_heads,
            head_width,
            feed_forward,
            vocabulary,
            context: gguf.optional_usize(&key("context_length"))?.unwrap_or(4096),
            eps: gguf.f32(&key("attention.layer_norm_rms_epsilon"))?,
            embedding_scale: if gemma { (width as f32).sqrt() } else { 1.0 },
            query_scale: gguf
                .optional_f32(&key("attention.scale"))?
                .unwrap_or_else(|| query_scale(architecture, layers, width, heads, head_width)),
            rope_width,
            rope_global: rope_global(gguf, &name, architecture, rope_width)?,
            rope_local: Rope {
                base: gguf.optional_f32(&key("rope.freq_base_swa"))?.unwrap_or(10_000.0),
                scale: 1.0,
                divisors: Vec::new(),
            },
            window: window.filter(|&window| window > 0),
        };
        config.check(gguf, value_width)?;
        Ok(config)
    }

    /// Returns whether a layer sees only the window.
    pub fn windowed(&self, layer: usize) -> bool {
        self.window.is_some() && !(layer + 1).is_multiple_of(GEMMA3_PATTERN)
    }

    /// Returns the width of one token's keys in one layer, which is that of its values too.
    pub fn kv_width(&self) -> usize {
        self.kv_heads * self.head_width
    }

    fn check(&self, gguf: &Gguf, value_width: usize) -> Result<(), Error> {
        let wrong =
            |what: &str, value: usize, range: &str| Err(gguf.bad(format!("{what} is {value}, expected {range}")));
        for (what, value, most) in [
            ("the number of layers", self.layers, 1 << 10),
            ("the number of heads", self.heads, 1 << 10),
            ("the number of key heads", self.kv_heads, self.heads),
            ("the width of a head", self.head_width, 1 << 12),
            ("the width of the model", self.width, 1 << 17),
            ("the width of the feed-forward part", self.feed_forward, 1 << 19),
            ("the size of the vocabulary", self.vocabulary, 1 << 22),
            ("the context length", self.context, 1 << 24),
        ] {
            if value == 0 || value > most {
                return wrong(what, value, &format!("1 to {most}"));
            }
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            return wrong("the number of heads", self.heads, &format!("a multiple of {}", self.kv_heads));
        }
        if value_width != self.head_width {
            return wrong("the width of a value head", value_width, &self.head_width.to_string());
        }
        if !self.rope_width.is_multiple_of(2) || self.rope_width == 0 || self.rope_width > self.head_width {
            return wrong("the rotated width", self.rope_width, &format!("even, 2 to {}", self.head_width));
        }
        let positive =
            [self.eps, self.query_scale, self.rope_global.base, self.rope_global.scale, self.rope_local.base];
        if positive.iter().any(|&number| number <= 0.0) {
            return Err(gguf.bad(format!(
                "norm epsilon, attention scale, rope base and scale must be positive, got {positive:?}"
            )));
        }
        Ok(())
    }
}

/// Gemma 3 27B (the one with 62 layers) scales by the width a head would have without its own width.
fn query_scale(architecture: Architecture, layers: usize, width: usize, heads: usize, head_width: usize) -> f32 {
    let per_head = if architecture == Architecture::Gemma3 && layers == 62 { width / heads.max(1) } else { head_width };
    1.0 / (per_head.max(1) as f32).sqrt()
}

fn rope_global(gguf: &mut Gguf, name: &str, architecture: Architecture, rope_width: usize) -> Result<Rope, Error> {
    let default_base = if architecture == Architecture::Gemma3 { 1_000_000.0 } else { 10_000.0 };
    let base = gguf.optional_f32(&format!("{name}.rope.freq_base"))?.unwrap_or(default_base);
    let kind = gguf.optional_str(&format!("{name}.rope.scaling.type"))?.unwrap_or("linear").to_owned();
    let factor = gguf.optional_f32(&format!("{name}.rope.scaling.factor"))?;
    let factor = match factor.or(gguf.optional_f32(&format!("{name}.rope.scale_linear"))?) {
        Some(factor) if factor > 0.0 => factor,
        _ => 1.0,
    };
    let scale = match kind.as_str() {
        "none" => 1.0,
        "linear" => 1.0 / factor,
        other => return Err(gguf.bad(format!("rope scaling {other:?} is not supported (there are: none, linear)"))),
    };
    let divisors = match gguf.shape("rope_freqs.weight") {
        Some(_) => gguf.vector("rope_freqs.weight", rope_width / 2)?,
        None => Vec::new(),
    };
    if divisors.iter().any(|&divisor| divisor.is_nan() || divisor <= 0.0) {
        return Err(gguf.bad("rope_freqs.weight has a number that is not positive"));
    }
    Ok(Rope { base, scale, divisors })
}
