//! The kernel in plain Rust: the definition that the others must equal bit for bit.
//!
//! In: [`Operands`]. Out: a [`Tile`]. Nothing here is tuned, but no step may change its order of additions.

use half::f16;

use super::tile::{LINES, Operands, Tile};
use super::{BLOCK, PANEL};

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
                let scales = &operands.scales[panel * blocks + block].0;
                let x_scale = operands.x_scales[block * rows + row];
                for ((sum, dot), scale) in sums.iter_mut().zip(dots).zip(scales) {
                    *sum = (dot as f32).mul_add(f16::from_bits(*scale).to_f32() * x_scale, *sum);
                }
            }
            line[panel * PANEL..][..PANEL].copy_from_slice(&sums);
        }
    }
}
