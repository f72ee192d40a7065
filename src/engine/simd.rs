//! Small loops over `f32` slices that the compiler vectorises, compiled for each instruction set and picked at run time.
//!
//! In: slices. Out: slices or a number. Every sum has a fixed order that does not depend on the instruction set's width
//! (16 lanes, then a tree), so that a value is the same whatever stands beside it; with and without fused multiply-add the last
//! bits differ, so results are the same on one machine, not on all.

/// Lanes of a sum.
pub const LANES: usize = 16;

/// Compiles a function body for AVX-512, AVX2 and the baseline, and picks at run time.
///
/// The body is an `#[inline(always)]` generic function whose `const FMA: bool` says whether `mul_add` is one instruction; one
/// more parameter, a type, may follow.
macro_rules! dispatch {
    (
        $(#[$meta:meta])* $vis:vis fn $name:ident $(<$kind:ident: $bound:path>)? ($($arg:ident: $type:ty),* $(,)?)
        $(-> $out:ty)? = $body:ident
    ) => {
        $(#[$meta])*
        $vis fn $name $(<$kind: $bound>)? ($($arg: $type),*) $(-> $out)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                fn wide $(<$kind: $bound>)? ($($arg: $type),*) $(-> $out)? {
                    $body::<true $(, $kind)?>($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn medium $(<$kind: $bound>)? ($($arg: $type),*) $(-> $out)? {
                    $body::<true $(, $kind)?>($($arg),*)
                }
                match $crate::engine::simd::level() {
                    // SAFETY: level() found every feature that `wide` is compiled for.
                    #[allow(unsafe_code)]
                    $crate::engine::simd::Level::Avx512 => return unsafe { wide($($arg),*) },
                    // SAFETY: level() found every feature that `medium` is compiled for.
                    #[allow(unsafe_code)]
                    $crate::engine::simd::Level::Avx2 => return unsafe { medium($($arg),*) },
                    $crate::engine::simd::Level::Baseline => {}
                }
            }
            $body::<{ cfg!(target_arch = "aarch64") } $(, $kind)?>($($arg),*)
        }
    };
}
pub(crate) use dispatch;

/// Which instruction sets there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// AVX-512 F, BW, DQ, VL.
    Avx512,
    /// AVX2 and FMA.
    Avx2,
    /// What every processor of the architecture has.
    Baseline,
}

impl Level {
    /// Returns the name of the instruction sets, as processors call them.
    pub fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "AVX-512",
            Self::Avx2 => "AVX2",
            Self::Baseline if cfg!(target_arch = "aarch64") => "NEON",
            Self::Baseline => "none beyond the baseline",
        }
    }
}

/// Finds the instruction sets once.
pub fn level() -> Level {
    #[cfg(target_arch = "x86_64")]
    {
        static LEVEL: std::sync::LazyLock<Level> = std::sync::LazyLock::new(|| {
            let avx2 = std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma");
            let avx512 = std::arch::is_x86_feature_detected!("avx512f")
                && std::arch::is_x86_feature_detected!("avx512bw")
                && std::arch::is_x86_feature_detected!("avx512dq")
                && std::arch::is_x86_feature_detected!("avx512vl");
            match (avx2, avx512) {
                (true, true) => Level::Avx512,
                (true, false) => Level::Avx2,
                _ => Level::Baseline,
            }
        });
        *LEVEL
    }
    #[cfg(not(target_arch = "x86_64"))]
    Level::Baseline
}

/// Multiplies and adds: one rounding where the processor can, two where it cannot.
#[inline(always)]
pub fn fma<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// Adds the lanes of a sum as a tree.
#[inline(always)]
pub fn sum_lanes(mut lanes: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}

dispatch! {
    /// Returns the dot product of two slices of the same length.
    pub fn dot(a: &[f32], b: &[f32]) -> f32 = dot_body
}

#[inline(always)]
pub(crate) fn dot_body<const FMA: bool>(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0f32; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let (a_rest, b_rest) = (a_chunks.remainder(), b_chunks.remainder());
    for (a, b) in a_chunks.zip(b_chunks) {
        for i in 0..LANES {
            lanes[i] = fma::<FMA>(a[i], b[i], lanes[i]);
        }
    }
    for (i, (a, b)) in a_rest.iter().zip(b_rest).enumerate() {
        lanes[i] = fma::<FMA>(*a, *b, lanes[i]);
    }
    sum_lanes(lanes)
}

/// Returns e to the power of `x`, to about 2 units in the last place; 0 far below, never infinite.
///
/// The polynomial is that of Cephes `expf`; a power of two is built from bits. Branch-free, so that loops over it vectorise.
#[inline(always)]
pub fn exp<const FMA: bool>(x: f32) -> f32 {
    let clamped = x.clamp(-87.3, 88.3);
    // Rounding to nearest by adding and taking away 1.5 * 2^23.
    let shifted = fma::<FMA>(clamped, std::f32::consts::LOG2_E, 12_582_912.0);
    let n = shifted - 12_582_912.0;
    let r = fma::<FMA>(n, -0.693_359_4, clamped);
    let r = fma::<FMA>(n, 2.121_944_4e-4, r);
    let mut p = 1.987_569_1e-4;
    p = fma::<FMA>(p, r, 1.398_199_9e-3);
    p = fma::<FMA>(p, r, 8.333_452e-3);
    p = fma::<FMA>(p, r, 4.166_579_6e-2);
    p = fma::<FMA>(p, r, 1.666_666_5e-1);
    p = fma::<FMA>(p, r, 0.5);
    let value = fma::<FMA>(p * r, r, r) + 1.0;
    // The low bits of `shifted` are n itself.
    let scale = f32::from_bits(shifted.to_bits().wrapping_sub(0x4B40_0000).wrapping_add(127) << 23);
    if x < -87.3 { 0.0 } else { value * scale }
}

/// Finds the largest lane.
#[inline(always)]
pub fn max_lanes(mut lanes: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] = if lanes[i + width] > lanes[i] { lanes[i + width] } else { lanes[i] };
        }
        width /= 2;
    }
    lanes[0]
}

/// The tanh approximation of GELU: 0.5 (1 + tanh z) is the logistic function of 2 z, with z = sqrt(2 / pi) (x + 0.044715 x^3).
#[inline(always)]
pub fn gelu_tanh<const FMA: bool>(x: f32) -> f32 {
    const TWO_Z: f32 = 1.595_769_2;
    let two_z = TWO_Z * x * fma::<FMA>(0.044_715 * x, x, 1.0);
    x / (1.0 + exp::<FMA>(-two_z))
}

/// GELU with the error function, by its series or its continued fraction's best rational form (Abramowitz and Stegun
/// 7.1.26 is too coarse): the complementary error function of Numerical Recipes, relative error below 1.2e-7.
pub fn gelu(x: f32) -> f32 {
    let z = f64::from(x) * std::f64::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.5 * z.abs());
    let series = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let polynomial = series.iter().rev().fold(0.0, |sum, c| sum * t + c);
    let erfc = t * (-z * z + polynomial).exp();
    let upper = if z >= 0.0 { 1.0 - 0.5 * erfc } else { 0.5 * erfc };
    (f64::from(x) * upper) as f32
}

dispatch! {
    /// Scales a row so that its root mean square is 1, then by weights: `out = x / rms(x) * weight`.
    pub fn rms_norm(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) = rms_norm_body
}

#[inline(always)]
fn rms_norm_body<const FMA: bool>(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    let mean = dot_body::<FMA>(x, x) / x.len() as f32;
    let scale = 1.0 / (mean + eps).sqrt();
    for ((out, x), weight) in out.iter_mut().zip(x).zip(weight) {
        *out = x * scale * weight;
    }
}

dispatch! {
    /// Takes the mean of a row away, scales it so that its variance is 1, then by weights, and adds biases. In place.
    pub fn layer_norm(x: &mut [f32], weight: &[f32], bias: Option<&[f32]>, eps: f32) = layer_norm_body
}

#[inline(always)]
fn layer_norm_body<const FMA: bool>(x: &mut [f32], weight: &[f32], bias: Option<&[f32]>, eps: f32) {
    let count = x.len().max(1) as f32;
    let mut lanes = [0f32; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for i in 0..LANES {
            lanes[i] += chunk[i];
        }
    }
    for (i, x) in rest.iter().enumerate() {
        lanes[i] += x;
    }
    let mean = sum_lanes(lanes) / count;
    x.iter_mut().for_each(|x| *x -= mean);
    let scale = 1.0 / (dot_body::<FMA>(x, x) / count + eps).sqrt();
    match bias {
        Some(bias) => {
            for ((x, weight), bias) in x.iter_mut().zip(weight).zip(bias) {
                *x = fma::<FMA>(*x * scale, *weight, *bias);
            }
        }
        None => x.iter_mut().zip(weight).for_each(|(x, weight)| *x = *x * scale * weight),
    }
}

dispatch! {
    /// Adds a normed row to another: `out += x / rms(x) * weight`.
    pub fn add_rms_norm(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) = add_rms_norm_body
}

#[inline(always)]
fn add_rms_norm_body<const FMA: bool>(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    let mean = dot_body::<FMA>(x, x) / x.len() as f32;
    let scale = 1.0 / (mean + eps).sqrt();
    for ((out, x), weight) in out.iter_mut().zip(x).zip(weight) {
        *out += x * scale * weight;
    }
}

dispatch! {
    /// Adds one row to another.
    pub fn add(x: &mut [f32], delta: &[f32]) = add_body
}

#[inline(always)]
fn add_body<const FMA: bool>(x: &mut [f32], delta: &[f32]) {
    for (x, delta) in x.iter_mut().zip(delta) {
        *x += delta;
    }
}

dispatch! {
    /// Gates a row with the tanh approximation of GELU: `out = gelu(gate) * up`.
    pub fn gelu_gate(gate: &[f32], up: &[f32], out: &mut [f32]) = gelu_gate_body
}

#[inline(always)]
fn gelu_gate_body<const FMA: bool>(gate: &[f32], up: &[f32], out: &mut [f32]) {
    for ((out, &g), &up) in out.iter_mut().zip(gate).zip(up) {
        *out = gelu_tanh::<FMA>(g) * up;
    }
}

dispatch! {
    /// Gates a row with `SiLU`: `out = gate * logistic(gate) * up`.
    pub fn silu_gate(gate: &[f32], up: &[f32], out: &mut [f32]) = silu_gate_body
}

#[inline(always)]
fn silu_gate_body<const FMA: bool>(gate: &[f32], up: &[f32], out: &mut [f32]) {
    for ((out, &g), &up) in out.iter_mut().zip(gate).zip(up) {
        *out = g / (1.0 + exp::<FMA>(-g)) * up;
    }
}

dispatch! {
    /// Returns the natural log of the sum of exponentials.
    pub fn log_sum_exp(values: &[f32]) -> f32 = log_sum_exp_body
}

#[inline(always)]
fn log_sum_exp_body<const FMA: bool>(values: &[f32]) -> f32 {
    let top = max_body::<FMA>(values);
    if !top.is_finite() {
        return top;
    }
    let mut lanes = [0f32; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for i in 0..LANES {
            lanes[i] += exp::<FMA>(chunk[i] - top);
        }
    }
    for (i, value) in rest.iter().enumerate() {
        lanes[i] += exp::<FMA>(value - top);
    }
    top + sum_lanes(lanes).ln()
}

dispatch! {
    /// Returns the largest value; negative infinity for none.
    pub fn max(values: &[f32]) -> f32 = max_body
}

#[inline(always)]
pub(crate) fn max_body<const FMA: bool>(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for i in 0..LANES {
            lanes[i] = if chunk[i] > lanes[i] { chunk[i] } else { lanes[i] };
        }
    }
    let of_rest = rest.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    lanes.into_iter().fold(of_rest, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_close_to_the_exact_one() {
        for i in -9000..9000 {
            let x = i as f32 * 0.0095;
            let (got, exact) = (exp::<false>(x), f64::from(x).exp());
            assert!((f64::from(got) / exact - 1.0).abs() < 4e-7, "exp({x}) = {got}, not {exact}");
        }
        assert_eq!(exp::<false>(f32::NEG_INFINITY), 0.0);
    }

    #[test]
    fn sums_are_right_at_every_length() {
        for n in 0..70 {
            let a: Vec<f32> = (0..n).map(|i| i as f32).collect();
            let expected: f32 = a.iter().map(|x| x * 0.5).sum();
            assert_eq!(dot(&a, &vec![0.5; n]), expected);
            assert_eq!(max(&a), if n == 0 { f32::NEG_INFINITY } else { n as f32 - 1.0 });
        }
        assert!((log_sum_exp(&[1.0; 40]) - (1.0 + 40f32.ln())).abs() < 1e-6);
    }

    #[test]
    fn gates_match_their_definitions() {
        let gate: Vec<f32> = (-40..40).map(|i| i as f32 * 0.2).collect();
        let mut out = vec![0.0; gate.len()];
        gelu_gate(&gate, &vec![1.0; gate.len()], &mut out);
        for (x, got) in gate.iter().zip(&out) {
            let z = (2.0 / std::f32::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
            assert!((got - 0.5 * x * (1.0 + z.tanh())).abs() < 2e-6, "gelu({x}) = {got}");
        }
        silu_gate(&gate, &vec![1.0; gate.len()], &mut out);
        for (x, got) in gate.iter().zip(&out) {
            assert!((got - x / (1.0 + (-x).exp())).abs() < 2e-6, "silu({x}) = {got}");
        }
    }
}
