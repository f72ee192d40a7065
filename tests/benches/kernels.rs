//! How fast the int8 linear layers are, beside candle's own `QMatMul` over a `Q8_0` tensor of the same shape.
//!
//! Run: `cargo bench --bench kernels`, and with `RAYON_NUM_THREADS=1` for one thread (candle reads it too). Criterion
//! prints multiply-adds a second as "elements". A filter picks shapes: `cargo bench --bench kernels -- gemma/gate`.
//!
//! Notes on the way here, in GMAC/s (10^9 multiply-adds a second) on 2 cores of an AMD EPYC (Zen 5, about 3.7 GHz),
//! best of many runs, the process in a real-time class since the machine was shared. Two `vpdpbusd` a cycle would be
//! 470 a core, and 375 with the scales' two operations a block on the same two ports.
//!
//! | version                                  | predicted                     | measured                                |
//! |------------------------------------------|-------------------------------|-----------------------------------------|
//! | packed panels, tiles of 32 x 6           | gate+up m=256, 1 thread: 300  | 192: quantising took a third            |
//! | quantise with AVX2, by all threads       | 300                           | 298; 2 threads 552                      |
//! | ask for the next panels while computing  | shortlist m=16: 312 -> 500    | 541; m=1 no faster, so not for m=1      |
//! | quantise with AVX-512                    | down m=256: 454 -> 600        | 629; 1 thread 227 -> 341                |
//! | one thread below 4 million multiply-adds | key/value m=4: half the time  | 7.5 -> 2.7 us                           |
//! | called from a thread of the pool         | q/k/v m=1: 5 us less          | 13.0 -> 6.8 us                          |
//! | AVX2: whole panels, its own quantising   | down m=256, 1 thread: 41 -> 70| 68; with AVX-VNNI 53 -> 140             |
//!
//! Beside candle 0.11.1, same run: 2.1 to 3.6 times as fast from m=16 on where its packed AVX-512 path takes the shape
//! (columns by 256, rows by 16), 1.2 to 2.9 at m=1, 19 to 36 times where it does not (columns 576 or 640).

use std::hint::black_box;
use std::time::{Duration, Instant};

use candle_core::quantized::{GgmlDType, QMatMul, QTensor};
use candle_core::{Device, Module, Tensor};
use criterion::{Bencher, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mujaz::engine::kernels::{QuantLinear, QuantMatrix};

/// Layer, outputs, inputs.
const SHAPES: &[(&str, usize, usize)] = &[
    ("gemma/qkv", 1536, 640),
    ("gemma/kv", 256, 640),
    ("gemma/attention-out", 640, 1024),
    ("gemma/gate+up", 4096, 640),
    ("gemma/down", 640, 2048),
    ("gemma/output", 262_144, 640),
    ("gemma/shortlist", 60_000, 640),
    ("smollm/qkv", 960, 576),
    ("smollm/down", 576, 1536),
    ("smollm/output", 49_152, 576),
    ("marian/ffn", 2048, 512),
    ("marian/output", 62_834, 512),
    ("marian-big/ffn", 4096, 1024),
    ("marian-big/output", 61_109, 1024),
];

fn values(count: usize) -> Vec<f32> {
    let mut state = 1u32;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1u32 << 24) as f32 - 0.5
        })
        .collect()
}

fn layers(criterion: &mut Criterion) {
    for &(name, rows, columns) in SHAPES {
        let weights = Tensor::from_vec(values(rows * columns), (rows, columns), &Device::Cpu).expect("sizes agree");
        let tensor = QTensor::quantize(&weights, GgmlDType::Q8_0).expect("columns are whole blocks");
        let ours = QuantLinear::new(QuantMatrix::from_qtensor(&tensor).expect("a matrix of finite weights").into());
        let candle = QMatMul::from_qtensor(tensor).expect("a tensor on the CPU");
        let mut group = criterion.benchmark_group(name);
        for m in [1, 4, 16, 64, 256] {
            // The whole vocabulary times a long prompt is never asked for.
            if rows * m > 262_144 * 16 {
                continue;
            }
            let x = Tensor::from_vec(values(m * columns), (m, columns), &Device::Cpu).expect("sizes agree");
            group.throughput(Throughput::Elements((m * rows * columns) as u64));
            let run = |bencher: &mut Bencher<'_>, layer: &(dyn Module + Sync)| {
                // On a thread of the pool, as the engines run: from outside, every call waits for one to wake.
                bencher.iter_custom(|times| {
                    rayon::scope(|_| {
                        let start = Instant::now();
                        for _ in 0..times {
                            black_box(layer.forward(black_box(&x)).expect("shapes agree"));
                        }
                        start.elapsed()
                    })
                });
            };
            group.bench_function(BenchmarkId::new("ours", m), |bencher| run(bencher, &ours));
            group.bench_function(BenchmarkId::new("candle", m), |bencher| run(bencher, &candle));
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(15)
        .warm_up_time(Duration::from_millis(150))
        .measurement_time(Duration::from_millis(500));
    targets = layers
}
criterion_main!(benches);
