//! Every path against the plain kernel, bit for bit, and the plain kernel against arithmetic.

use proptest::prelude::*;

use super::super::tile::Path;
use super::input::{Values, quantise};
use super::*;

fn values(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1u32 << 24) as f32 - 0.5
    };
    (0..count).map(|_| next()).collect()
}

/// What the definition says, in plain loops over unpacked values.
fn expected(weights: &[f32], x: &[f32], columns: usize, precision: Precision, fma: bool) -> Vec<f32> {
    let integers = |row: &[f32]| -> (Vec<i32>, f32) {
        let largest = row.iter().fold(0f32, |most, value| most.max(value.abs()));
        if largest < 1e-30 {
            return (vec![0; row.len()], 0.0);
        }
        let whole = row.iter().map(|value| (value * (127.0 / largest)).round_ties_even() as i32).collect();
        (whole, largest / 127.0)
    };
    let dot = |w: &[f32], x: &[f32]| match precision {
        Precision::F32 => x.iter().zip(w).fold(0f32, |sum, (x, w)| if fma { x.mul_add(*w, sum) } else { x * w + sum }),
        Precision::Int8 => {
            let ((w, w_scale), (x, x_scale)) = (integers(w), integers(x));
            let sum: i32 = w.iter().zip(&x).map(|(w, x)| w * x).sum();
            sum as f32 * (x_scale * w_scale)
        }
    };
    x.chunks_exact(columns).flat_map(|x| weights.chunks_exact(columns).map(move |w| dot(w, x))).collect()
}

/// Whether a path rounds products and sums of f32 once.
fn fused(path: Path) -> bool {
    path != Path::Scalar
}

proptest! {
    #[test]
    fn every_path_gives_what_the_definition_says(
        rows in 1usize..150, columns in 1usize..90, m in 1usize..20, seed: u32, int8: bool, many: bool,
    ) {
        let precision = if int8 { Precision::Int8 } else { Precision::F32 };
        let (w, x) = (values(rows * columns, seed), values(m * columns, seed ^ 77));
        let matrix = Matrix::pack(&[&w], columns, precision).unwrap();
        let threads = if many { Threads::All } else { Threads::One };
        for path in Path::available() {
            let input = Input::new(&x, columns, precision).unwrap();
            let got = matrix.product_with(path, &input, Epilogue::default(), threads).unwrap();
            prop_assert_eq!(&got[..], expected(&w, &x, columns, precision, fused(path)), "{:?}", path);
        }
    }

    #[test]
    fn rows_are_quantised_alike_by_every_path(x in prop::collection::vec(-1e3f32..1e3, 1..100), tiny: bool) {
        let x: Vec<f32> = if tiny { x.iter().map(|x| x * 1e-36).collect() } else { x };
        let run = |path| {
            let (mut values, mut scale, mut offset) = (vec![0i8; x.len()], 0.0, 0);
            quantise(path, &x, &mut values, &mut scale, &mut offset);
            (values, scale, offset)
        };
        for path in Path::available() {
            prop_assert_eq!(run(path), run(Path::Scalar));
        }
    }

    #[test]
    fn the_best_columns_are_those_of_all_logits(
        rows in 1usize..3000, m in 1usize..9, top in 1usize..12, seed: u32, int8: bool, renormalize: bool,
        banned in prop::collection::btree_set(0u32..3000, 0..20), own in prop::collection::btree_set(0u32..3000, 0..5),
    ) {
        let (columns, precision) = (16, if int8 { Precision::Int8 } else { Precision::F32 });
        // Coarse values make equal logits likely.
        let coarse = |values: Vec<f32>| -> Vec<f32> { values.iter().map(|v| (v * 4.0).round()).collect() };
        let w = coarse(values(rows * columns, seed));
        let x = coarse(values(m * columns, seed ^ 5));
        let bias = coarse(values(rows, seed ^ 9));
        let matrix = Matrix::pack(&[&w], columns, precision).unwrap();
        let input = Input::new(&x, columns, precision).unwrap();
        let (banned, own): (Vec<u32>, Vec<u32>) = (banned.into_iter().collect(), own.into_iter().collect());
        let tops = Tops { top, bias: Some(&bias), banned: &banned, renormalize };
        let wanted: Vec<Row<'_>> = (0..m).map(|r| Row { banned: if r % 2 == 0 { &own } else { &[] } }).collect();
        let one = matrix.tops(&input, tops, &wanted, Threads::One).unwrap();
        prop_assert_eq!(&one, &matrix.tops(&input, tops, &wanted, Threads::All).unwrap());
        let epilogue = Epilogue { bias: Some(&bias), activation: None };
        let logits = matrix.product(&input, epilogue, Threads::One).unwrap();
        for ((row, logits), got) in wanted.iter().zip(logits.chunks_exact(rows)).zip(&one) {
            let out = |column: &u32| banned.contains(column) || row.banned.contains(column);
            let mut order: Vec<u32> = (0..rows as u32).filter(|column| !out(column)).collect();
            order.sort_by(|&a, &b| logits[b as usize].total_cmp(&logits[a as usize]).then(a.cmp(&b)));
            order.truncate(top);
            prop_assert_eq!(got.columns.iter().map(|(column, _)| *column).collect::<Vec<_>>(), order);
            let summed = |column: &u32| !(renormalize && out(column));
            let sum: f64 = (0..rows as u32).filter(summed).map(|column| f64::from(logits[column as usize]).exp()).sum();
            if sum > 0.0 {
                prop_assert!((f64::from(got.log_sum_exp) - sum.ln()).abs() < 2e-5, "{} {}", got.log_sum_exp, sum.ln());
            }
        }
    }
}

#[test]
fn long_rows_are_multiplied_in_blocks_without_a_trace() {
    let (rows, columns, m) = (70, 2500, 14);
    let (w, x) = (values(rows * columns, 1), values(m * columns, 2));
    let matrix = Matrix::pack(&[&w], columns, Precision::F32).unwrap();
    let input = Input::new(&x, columns, Precision::F32).unwrap();
    let got = matrix.product(&input, Epilogue::default(), Threads::One).unwrap();
    assert_eq!(&got[..], expected(&w, &x, columns, Precision::F32, fused(Path::best())));
}

#[test]
fn a_row_of_the_matrix_is_what_was_packed() {
    let (rows, columns) = (37, 22);
    let w = values(rows * columns, 3);
    let (first, second) = w.split_at(5 * columns);
    for precision in [Precision::F32, Precision::Int8] {
        let matrix = Matrix::pack(&[first, second], columns, precision).unwrap();
        let bytes: Vec<u8> = matrix.lines().flatten().copied().collect();
        let again = Matrix::from_parts(rows, columns, precision, &bytes, matrix.scales().to_vec()).unwrap();
        let mut out = vec![0f32; columns];
        for (row, w) in w.chunks_exact(columns).enumerate() {
            again.row(row, &mut out).unwrap();
            for (out, w) in out.iter().zip(w) {
                let allowed = if precision == Precision::F32 { 0.0 } else { 0.5 / 254.0 + 1e-6 };
                assert!((out - w).abs() <= allowed, "{out} for {w}");
            }
        }
        assert!(again.row(rows, &mut out).is_err());
    }
}

#[test]
fn what_is_not_a_number_is_refused_in_weights_and_shows_in_results() {
    assert!(Matrix::pack(&[&[1.0, f32::NAN]], 2, Precision::Int8).is_err());
    assert!(Matrix::pack(&[&[1.0, f32::INFINITY]], 2, Precision::F32).is_err());
    assert!(Matrix::pack(&[&[1.0; 3]], 2, Precision::F32).is_err());
    let w = values(64 * 8, 4);
    for precision in [Precision::F32, Precision::Int8] {
        let matrix = Matrix::pack(&[&w], 8, precision).unwrap();
        let input = Input::new(&[f32::NAN; 8], 8, precision).unwrap();
        let tops = Tops { top: 2, bias: None, banned: &[], renormalize: false };
        let best = matrix.tops(&input, tops, &[Row { banned: &[] }], Threads::One).unwrap();
        assert!(!best[0].log_sum_exp.is_finite());
    }
    assert!(matches!(Input::new(&w, 8, Precision::Int8).unwrap().values, Values::Int8 { .. }));
}
