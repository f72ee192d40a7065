//! Every path against the scalar one bit for bit, and the product against plain f32 within the error of quantising.

use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Module, Tensor};
use half::f16;
use proptest::prelude::*;

use super::multiply::{multiply_with, uninit};
use super::tile::Path;
use super::{Activations, BLOCK, Error, QuantLinear, QuantMatrix};

/// Draws `count` values, roughly normal, from a seed.
fn values(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut uniform = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u32 << 24) as f32 - 0.5
    };
    (0..count).map(|_| (0..6).map(|_| uniform()).sum()).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Multiplies in f64, with the most that quantising both sides can be off: half a step of each side, times the other.
fn exact(w: &[f32], x: &[f32], m: usize, rows: usize, columns: usize) -> Vec<(f64, f64)> {
    let mut out = Vec::with_capacity(m * rows);
    for x in x.chunks_exact(columns) {
        for w in w.chunks_exact(columns) {
            let (mut sum, mut slack) = (0f64, 1e-5);
            for (x, w) in x.chunks(BLOCK).zip(w.chunks(BLOCK)) {
                let step = |v: &[f32]| f64::from(v.iter().fold(0f32, |a, v| a.max(v.abs()))) / 127.0;
                // A scale rounded to f16 is off by 2^-11 at most, which at 127 steps is a sixteenth of one.
                let (off_x, off_w) = (0.51 * step(x), 0.57 * step(w));
                for (x, w) in x.iter().zip(w) {
                    let (x, w) = (f64::from(*x), f64::from(*w));
                    sum += x * w;
                    slack += off_x * w.abs() + off_w * x.abs() + off_x * off_w;
                }
            }
            out.push((sum, slack));
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_path_equals_the_scalar_one(
        rows in 1usize..100, columns in 1usize..200, m in 1usize..20, seed: u64, spread in -20i32..8,
    ) {
        let w = QuantMatrix::from_f32(rows, columns, &values(rows * columns, seed)).unwrap();
        let x: Vec<f32> = values(m * columns, !seed).iter().map(|v| v * 2f32.powi(spread)).collect();
        let quantize = |path| Activations::quantize_with(path, &x, m, columns).unwrap();
        let mut expected = vec![f32::NAN; m * rows];
        multiply_with(Path::Scalar, &w, &quantize(Path::Scalar), uninit(&mut expected)).unwrap();
        for path in Path::available() {
            let x = quantize(path);
            let mut got = vec![f32::NAN; m * rows];
            multiply_with(path, &w, &x, uninit(&mut got)).unwrap();
            prop_assert_eq!(bits(&got), bits(&expected), "{:?}", path);
        }
    }

    #[test]
    fn products_are_right_within_the_error_of_quantising(
        rows in 1usize..70, columns in 1usize..150, m in 1usize..9, seed: u64,
    ) {
        let w = values(rows * columns, seed);
        let x = values(m * columns, !seed);
        let mut got = vec![f32::NAN; m * rows];
        QuantMatrix::from_f32(rows, columns, &w).unwrap().matmul(&x, m, &mut got).unwrap();
        for (at, (got, (expected, slack))) in got.iter().zip(exact(&w, &x, m, rows, columns)).enumerate() {
            prop_assert!((f64::from(*got) - expected).abs() <= slack, "{at}: {got} for {expected} +- {slack}");
        }
    }

    #[test]
    fn a_row_does_not_depend_on_its_neighbours(rows in 1usize..80, columns in 1usize..100, m in 2usize..30, seed: u64) {
        let w = QuantMatrix::from_f32(rows, columns, &values(rows * columns, seed)).unwrap();
        let x = values(m * columns, !seed);
        let mut together = vec![0f32; m * rows];
        w.matmul(&x, m, &mut together).unwrap();
        for (x, together) in x.chunks_exact(columns).zip(together.chunks_exact(rows)) {
            let mut alone = vec![0f32; rows];
            w.matmul(x, 1, &mut alone).unwrap();
            prop_assert_eq!(bits(&alone), bits(together));
        }
    }

    #[test]
    fn selected_and_stacked_rows_give_the_same_results(
        rows in 1usize..60, more in 1usize..60, columns in 1usize..100, seed: u64,
        picks in prop::collection::vec(any::<prop::sample::Index>(), 1..50),
    ) {
        let first = QuantMatrix::from_f32(rows, columns, &values(rows * columns, seed)).unwrap();
        let second = QuantMatrix::from_f32(more, columns, &values(more * columns, seed ^ 7)).unwrap();
        let stacked = QuantMatrix::stack(&[&first, &second]).unwrap();
        let x = values(columns, !seed);
        let product = |w: &QuantMatrix| {
            let mut out = vec![0f32; w.rows()];
            w.matmul(&x, 1, &mut out).unwrap();
            bits(&out)
        };
        let both = [product(&first), product(&second)].concat();
        prop_assert_eq!(&product(&stacked), &both);
        let picks: Vec<u32> = picks.iter().map(|pick| pick.index(rows + more) as u32).collect();
        let selected = stacked.select_rows(&picks).unwrap();
        let expected: Vec<u32> = picks.iter().map(|&pick| both[pick as usize]).collect();
        prop_assert_eq!(product(&selected), expected);
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    // Shared by panels, by rows of activations, by both; with activations quantised by one thread and by several.
    for (rows, columns, m) in [(600, 640, 130), (30, 640, 300), (70, 500, 200), (5000, 1000, 1)] {
        let w = QuantMatrix::from_f32(rows, columns, &values(rows * columns, 9)).unwrap();
        let x = values(m * columns, 10);
        let product = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            bits(&pool.install(|| w.product(&x, m)).unwrap())
        };
        let alone = product(1);
        for threads in [2, 3, 5] {
            assert_eq!(product(threads), alone, "{rows} x {columns}, {m} rows, {threads} threads");
        }
        let mut scalar = vec![0f32; m * rows];
        let x = Activations::quantize_with(Path::Scalar, &x, m, columns).unwrap();
        multiply_with(Path::Scalar, &w, &x, uninit(&mut scalar)).unwrap();
        assert_eq!(bits(&scalar), alone);
    }
}

#[test]
fn extreme_weights_do_not_overflow_in_any_path() {
    // -128 cannot come from quantising, but a GGUF file may hold it; 127 everywhere on the other side.
    let (rows, columns) = (33, 96);
    let mut blocks = Vec::new();
    for _ in 0..rows * columns / BLOCK {
        blocks.extend(f16::ONE.to_bits().to_le_bytes());
        blocks.extend([0x80; BLOCK]);
    }
    let storage = candle_core::quantized::QStorage::from_data(blocks.into(), &Device::Cpu, GgmlDType::Q8_0).unwrap();
    let w = QuantMatrix::from_qtensor(&QTensor::new(storage, (rows, columns)).unwrap()).unwrap();
    for value in [127f32, -127.0] {
        let x = Activations::quantize(&vec![value; 7 * columns], 7, columns).unwrap();
        for path in Path::available() {
            let mut out = vec![0f32; 7 * rows];
            multiply_with(path, &w, &x, uninit(&mut out)).unwrap();
            assert_eq!(out, vec![-128.0 * value * columns as f32; 7 * rows], "{path:?}");
        }
    }
}

#[test]
fn a_q8_0_tensor_is_taken_over_without_loss() {
    let (rows, columns) = (37, 96);
    let x = Tensor::from_vec(values(rows * columns, 5), (rows, columns), &Device::Cpu).unwrap();
    let tensor = QTensor::quantize(&x, GgmlDType::Q8_0).unwrap();
    let expected = tensor.dequantize(&Device::Cpu).unwrap().to_vec2::<f32>().unwrap();
    let matrix = QuantMatrix::from_qtensor(&tensor).unwrap();
    let mut row = vec![0f32; columns];
    for (index, expected) in expected.iter().enumerate() {
        matrix.row(index, &mut row).unwrap();
        assert_eq!(&row, expected);
    }
    assert_eq!(matrix.bytes(), 48 * columns * 17 / 16, "17 bytes for 16 weights, rows padded to 48");
}

#[test]
fn other_tensor_types_are_requantised_within_half_a_step() {
    let (rows, columns) = (5000, 256);
    let x = Tensor::from_vec(values(rows * columns, 6), (rows, columns), &Device::Cpu).unwrap();
    for dtype in [GgmlDType::Q4K, GgmlDType::Q6K, GgmlDType::Q5_0, GgmlDType::F16, GgmlDType::F32] {
        let tensor = QTensor::quantize(&x, dtype).unwrap();
        let expected = tensor.dequantize(&Device::Cpu).unwrap().to_vec2::<f32>().unwrap();
        let matrix = QuantMatrix::from_qtensor(&tensor).unwrap();
        let mut row = vec![0f32; columns];
        for (index, expected) in expected.iter().enumerate() {
            matrix.row(index, &mut row).unwrap();
            for (row, expected) in row.chunks(BLOCK).zip(expected.chunks(BLOCK)) {
                let step = expected.iter().fold(0f32, |a, v| a.max(v.abs())) / 127.0;
                for (got, expected) in row.iter().zip(expected) {
                    assert!((got - expected).abs() <= 0.57 * step, "{dtype:?}: {got} for {expected}, step {step}");
                }
            }
        }
    }
}

#[test]
fn a_broken_activation_is_not_hidden() {
    let w = QuantMatrix::from_f32(20, 64, &values(20 * 64, 1)).unwrap();
    for broken in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut x = values(2 * 64, 2);
        x[40] = broken;
        for path in Path::available() {
            let x = Activations::quantize(&x, 2, 64).unwrap();
            let mut out = vec![0f32; 40];
            multiply_with(path, &w, &x, uninit(&mut out)).unwrap();
            assert!(out[..20].iter().all(|v| !v.is_finite()), "{path:?}: {broken} {out:?}");
            assert!(out[20..].iter().all(|v| v.is_finite()), "{path:?}: the other row is untouched");
        }
    }
    let x = vec![1e-40f32; 64];
    let mut out = vec![f32::NAN; 20];
    w.matmul(&x, 1, &mut out).unwrap();
    assert_eq!(out, vec![0.0; 20], "a block below the smallest scale is zero");
}

#[test]
fn wrong_sizes_are_errors() {
    let w = QuantMatrix::from_f32(3, 40, &[0.5; 120]).unwrap();
    assert!(matches!(QuantMatrix::from_f32(3, 40, &[0.5; 121]), Err(Error::Size { expected: 120, .. })));
    assert!(matches!(QuantMatrix::from_f32(3, 0, &[]), Err(Error::Columns { .. })));
    assert!(matches!(QuantMatrix::from_f32(1, 2, &[1.0, f32::NAN]), Err(Error::Weight { row: 0, .. })));
    assert!(matches!(QuantMatrix::from_f32(2, 1, &[1.0, 1e9]), Err(Error::Weight { row: 1, .. })));
    assert!(matches!(w.matmul(&[1.0; 39], 1, &mut [0.0; 3]), Err(Error::Size { what: "input", .. })));
    assert!(matches!(w.matmul(&[1.0; 40], 1, &mut [0.0; 4]), Err(Error::Size { what: "output", .. })));
    assert!(matches!(w.select_rows(&[0, 3]), Err(Error::NoSuchRow { row: 3, rows: 3 })));
    assert!(matches!(w.row(3, &mut [0.0; 40]), Err(Error::NoSuchRow { .. })));
    assert!(matches!(w.row(0, &mut [0.0; 41]), Err(Error::Size { .. })));
    let other = QuantMatrix::from_f32(1, 41, &[0.0; 41]).unwrap();
    assert!(matches!(QuantMatrix::stack(&[&w, &other]), Err(Error::Columns { got: 41, expected: 40 })));
    assert!(matches!(QuantMatrix::stack(&[]), Err(Error::Columns { .. })));
    assert!(w.matmul(&[], 0, &mut []).is_ok(), "no rows, no results");
    assert_eq!(w.select_rows(&[]).unwrap().rows(), 0);
    w.select_rows(&[]).unwrap().matmul(&[1.0; 40], 1, &mut []).unwrap();
}

#[test]
fn the_layer_reads_tensors_of_any_rank() {
    let (rows, columns) = (24, 64);
    let weights = values(rows * columns, 3);
    let w = std::sync::Arc::new(QuantMatrix::from_f32(rows, columns, &weights).unwrap());
    let bias = values(rows, 4);
    let layer = QuantLinear::new(w.clone()).with_bias(bias.clone()).unwrap();
    let x = Tensor::from_vec(values(2 * 5 * columns, 8), (2, columns, 5), &Device::Cpu).unwrap();
    let x = x.transpose(1, 2).unwrap(); // not contiguous
    let out = layer.forward(&x).unwrap();
    assert_eq!(out.dims(), [2, 5, rows]);
    let flat = x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let mut expected = vec![0f32; 10 * rows];
    w.matmul(&flat, 10, &mut expected).unwrap();
    for (at, (got, expected)) in out.flatten_all().unwrap().to_vec1::<f32>().unwrap().iter().zip(expected).enumerate() {
        assert_eq!(*got, expected + bias[at % rows]);
    }
    assert!(layer.forward(&Tensor::zeros((2, columns + 1), candle_core::DType::F32, &Device::Cpu).unwrap()).is_err());
    assert!(QuantLinear::new(w).with_bias(vec![0.0; rows + 1]).is_err());
}
