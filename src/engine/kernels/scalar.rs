//! The kernel in plain Rust: the definition that the others must equal bit for bit.
//!
//! In: [`Operands`]. Out: a [`Tile`]. Nothing here is tuned, but no step may change its order of additions.

use super::tile::{LINES, Operands, Tile};
use super::{BLOCK, PANEL};

/// Converts the f16 scales of a block to f32, exactly: the exponent's bias differs by 112.
#[inline(always)]
pub(super) fn widen(scales: &[u16; PANEL]) -> [f32; PANEL] {
    const REBIAS: f32 = f32::from_bits((127 + 112) << 23);
    scales.map(|scale| {
        let scale = u32::from(scale);
        f32::from_bits((scale & 0x8000) << 16 | (scale & 0x7FFF) << 13) * REBIAS
    })
}

/// Computes one tile.
pub(super) fn run(operands: &Operands<'_>, tile: &mut Tile) {
    let (panels, rows) = operands.shape();
    let blocks = operands.blocks;
    for (row, line) in tile.iter_mut().enumerate().take(rows) {
        for panel in 0..panels {
            let mut sums = [0f32; PANEL];
            for block in 0..blocks {
                let x = &operands.x[(block * rows + row) * BLOCK..][..BLOCK];
                let mut dots = [operands.x_offsets[block * rows + row]; PANEL];
                let lines = &operands.lines[(panel * blocks + block) * LINES..][..LINES];
                for (weights, x) in lines.iter().zip(x.as_chunks::<4>().0) {
                    for (dot, weights) in dots.iter_mut().zip(weights.0.as_chunks::<4>().0) {
                        for (w, x) in weights.iter().zip(x) {
                            *dot += i32::from(*w) * i32::from(*x);
                        }
                    }
                }
                let scales = widen(&operands.scales[panel * blocks + block].0);
                let x_scale = operands.x_scales[block * rows + row];
                for ((sum, dot), scale) in sums.iter_mut().zip(dots).zip(scales) {
                    *sum = (dot as f32).mul_add(scale * x_scale, *sum);
                }
            }
            line[panel * PANEL..][..PANEL].copy_from_slice(&sums);
        }
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;

    #[test]
    fn every_finite_scale_is_widened_exactly() {
        for bits in 0..=u16::MAX {
            let scale = f16::from_bits(bits);
            if scale.is_finite() {
                assert_eq!(widen(&[bits; PANEL]), [scale.to_f32(); PANEL], "{bits:#x}");
            }
        }
    }
}
