//! Weights in every form that the hub has them in, each opened as a user's model is: they translate alike.

use std::collections::BTreeMap;
use std::io::Write;

use candle_core::quantized::{GgmlDType, QTensor, gguf_file};
use candle_core::{DType, Device, Tensor};
use mujaz::engine::checkpoint::Checkpoint;
use mujaz::engine::kernels::dense::Precision;
use mujaz::engine::load::{self, LoadOptions, Loaded, Pickles};
use mujaz::engine::raw::RawOptions;

use super::*;

type Named = BTreeMap<String, Tensor>;

/// All tensors of a checkpoint.
fn tensors(folder: &Path) -> Named {
    let checkpoint = Checkpoint::open(folder).unwrap();
    let names = checkpoint.names();
    let read = |name: String| (name.clone(), checkpoint.tensor(&[name]).unwrap().unwrap());
    names.into_iter().map(read).collect()
}

/// A checkpoint's files without its weights.
fn without_weights(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if name != "model.safetensors" && name != "expected.json" {
            std::fs::copy(entry.path(), copy.path().join(name)).unwrap();
        }
    }
    copy
}

fn safetensors(tensors: &Named, path: &Path) {
    let tensors: std::collections::HashMap<&str, Tensor> =
        tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.clone())).collect();
    candle_core::safetensors::save(&tensors, path).unwrap();
}

/// What a model says of the reference's sentences, opened the way a user's is.
fn said(folder: &Path, precision: Precision) -> Vec<(String, f32)> {
    said_with(folder, precision, Pickles::Refused)
}

fn said_with(folder: &Path, precision: Precision, pickles: Pickles) -> Vec<(String, f32)> {
    let paths = load::ModelPaths::at(folder).unwrap();
    let mut loaded = load::open(&paths, &LoadOptions { precision, pickles, ..LoadOptions::default() }).unwrap();
    assert_eq!(loaded.pickles().is_empty(), pickles == Pickles::Refused);
    assert!(matches!(loaded, Loaded::EncoderDecoder { .. }) && loaded.precision() == precision.to_string());
    let expected = expected(&big());
    let found = loaded.engine().raw(&texts(&expected), &RawOptions::default(), &Silent).unwrap();
    found.into_iter().map(|found| (found.text, found.log_probability)).collect()
}

/// How many texts are the same.
fn same(one: &[(String, f32)], other: &[(String, f32)]) -> usize {
    one.iter().zip(other).filter(|(one, other)| one.0 == other.0).count()
}

/// The largest difference of the likelihoods of texts that are the same.
fn far(one: &[(String, f32)], other: &[(String, f32)]) -> f32 {
    let same = one.iter().zip(other).filter(|(one, other)| one.0 == other.0);
    same.map(|(one, other)| (one.1 - other.1).abs()).fold(0.0, f32::max)
}

#[test]
fn halves_say_what_whole_numbers_say() {
    for folder in references() {
        let whole = tensors(&folder);
        let want = said(&folder, Precision::F32);
        for (kind, most, least) in [(DType::F16, 0.01, 7), (DType::BF16, 0.2, 4)] {
            let halves: Named = whole.iter().map(|(name, t)| (name.clone(), t.to_dtype(kind).unwrap())).collect();
            let copy = without_weights(&folder);
            safetensors(&halves, &copy.path().join("model.safetensors"));
            let got = said(copy.path(), Precision::F32);
            println!(
                "{:20} {kind:?}: {} of 8 the same, apart by {}",
                name(&folder),
                same(&got, &want),
                far(&got, &want)
            );
            assert!(same(&got, &want) >= least && far(&got, &want) <= most, "{}: {got:?} {want:?}", name(&folder));
            // The same numbers, written in full, are the same model to the bit.
            let full: Named = halves.iter().map(|(name, t)| (name.clone(), t.to_dtype(DType::F32).unwrap())).collect();
            safetensors(&full, &copy.path().join("model.safetensors"));
            assert_eq!(said(copy.path(), Precision::F32), got, "{}", name(&folder));
        }
    }
}

#[test]
fn shards_and_pickles_are_the_same_model_to_the_bit() {
    for folder in references() {
        let whole = tensors(&folder);
        let copy = without_weights(&folder);
        let (first, second): (Vec<_>, Vec<_>) = whole.iter().enumerate().partition(|(place, _)| place % 3 == 0);
        let mut map = serde_json::Map::new();
        for (file, part) in [("model-00001-of-00002.safetensors", first), ("model-00002-of-00002.safetensors", second)]
        {
            let part: Named = part.into_iter().map(|(_, (name, tensor))| (name.clone(), tensor.clone())).collect();
            map.extend(part.keys().map(|name| (name.clone(), file.into())));
            safetensors(&part, &copy.path().join(file));
        }
        let index = serde_json::json!({ "metadata": { "total_size": 1 }, "weight_map": map });
        std::fs::write(copy.path().join("model.safetensors.index.json"), index.to_string()).unwrap();
        let pickled = without_weights(&folder);
        std::fs::write(pickled.path().join("pytorch_model.bin"), torch(&whole)).unwrap();
        for precision in [Precision::F32, Precision::Int8] {
            let want = said(&folder, precision);
            assert_eq!(said(copy.path(), precision), want, "{}: shards", name(&folder));
            assert_eq!(said_with(pickled.path(), precision, Pickles::Allowed), want, "{}: pickle", name(&folder));
        }
    }
}

/// Tensors as `torch.save` writes them: a zip file of a pickle (protocol 2), which calls `_rebuild_tensor_v2` for each, and one
/// file of numbers a tensor. Source: <https://docs.python.org/3/library/pickletools.html>, torch's `_utils.py`.
pub fn torch(tensors: &Named) -> Vec<u8> {
    let mut pickle = vec![0x80, 2];
    let text = |pickle: &mut Vec<u8>, text: &str| {
        pickle.push(b'X');
        pickle.extend((text.len() as u32).to_le_bytes());
        pickle.extend(text.as_bytes());
    };
    let int = |pickle: &mut Vec<u8>, int: usize| {
        pickle.push(b'J');
        pickle.extend((int as i32).to_le_bytes());
    };
    pickle.extend(b"ccollections\nOrderedDict\n)R(");
    for (place, (name, tensor)) in tensors.iter().enumerate() {
        text(&mut pickle, name);
        pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut pickle, "storage");
        pickle.extend(b"ctorch\nFloatStorage\n");
        text(&mut pickle, &place.to_string());
        text(&mut pickle, "cpu");
        int(&mut pickle, tensor.elem_count());
        pickle.extend(b"tQ");
        int(&mut pickle, 0);
        for numbers in [tensor.dims(), tensor.stride()] {
            pickle.push(b'(');
            numbers.iter().for_each(|&number| int(&mut pickle, number));
            pickle.push(b't');
        }
        pickle.extend(b"\x89ccollections\nOrderedDict\n)RtR");
    }
    pickle.extend(b"u.");
    let mut file = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    file.start_file("archive/data.pkl", stored).unwrap();
    file.write_all(&pickle).unwrap();
    for (place, tensor) in tensors.values().enumerate() {
        file.start_file(format!("archive/data/{place}"), stored).unwrap();
        let values: Vec<f32> = tensor.flatten_all().unwrap().to_vec1().unwrap();
        file.write_all(&values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()).unwrap();
    }
    file.finish().unwrap().into_inner()
}

/// Writes a GGUF as candle's `tensor-tools quantize` does: the checkpoint's own names, no metadata, matrices quantised where
/// their rows are whole blocks. Returns what the file then holds, in f32.
fn gguf(tensors: &Named, kind: GgmlDType, path: &Path) -> Named {
    let quantized: BTreeMap<&str, QTensor> = tensors
        .iter()
        .map(|(name, tensor)| {
            let fits = tensor.rank() == 2 && tensor.dim(1).unwrap().is_multiple_of(kind.block_size());
            (name.as_str(), QTensor::quantize(tensor, if fits { kind } else { GgmlDType::F32 }).unwrap())
        })
        .collect();
    let listed: Vec<(&str, &QTensor)> = quantized.iter().map(|(name, tensor)| (*name, tensor)).collect();
    gguf_file::write(&mut std::fs::File::create(path).unwrap(), &[], &listed).unwrap();
    quantized.iter().map(|(name, tensor)| ((*name).to_owned(), tensor.dequantize(&Device::Cpu).unwrap())).collect()
}

/// A T5 of random weights whose rows are long enough for blocks of 256, with the tiny model's tokens.
fn wide(tiny: &Path) -> (tempfile::TempDir, Named) {
    let copy = without_weights(tiny);
    let path = copy.path().join("config.json");
    let mut config: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for (key, value) in [("d_model", 256), ("d_ff", 256), ("d_kv", 64)] {
        config[key] = value.into();
    }
    std::fs::write(&path, config.to_string()).unwrap();
    let mut state = 7u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    let wide = tensors(tiny).into_iter().map(|(name, tensor)| {
        let shape: Vec<usize> = tensor.dims().iter().map(|&n| if n == 64 || n == 128 { 256 } else { n }).collect();
        let count = shape.iter().product();
        let norm = shape.len() == 1;
        let values: Vec<f32> = (0..count).map(|_| random() * 0.3 + if norm { 1.0 } else { 0.0 }).collect();
        (name, Tensor::from_vec(values, shape, &Device::Cpu).unwrap())
    });
    let wide = wide.collect();
    (copy, wide)
}

#[test]
fn a_gguf_of_t5_without_metadata_is_the_model_it_was_made_of() {
    let Some(tiny) = common::shared("parity/madlad-tiny") else { return };
    let original = tensors(&tiny);
    let want = said(&tiny, Precision::F32);
    for (kind, least) in [(GgmlDType::F32, 8), (GgmlDType::F16, 8), (GgmlDType::Q8_0, 4), (GgmlDType::Q4_0, 0)] {
        let copy = without_weights(&tiny);
        let dequantized = gguf(&original, kind, &copy.path().join("model.gguf"));
        let got = said(copy.path(), Precision::F32);
        println!("{kind:?}: {} of 8 the same, apart by {}", same(&got, &want), far(&got, &want));
        assert!(same(&got, &want) >= least, "{kind:?}: {got:?} {want:?}");
        if kind == GgmlDType::F32 {
            assert_eq!(got, want);
        }
        let plain = without_weights(&tiny);
        safetensors(&dequantized, &plain.path().join("model.safetensors"));
        for precision in [Precision::F32, Precision::Int8] {
            assert_eq!(said(copy.path(), precision), said(plain.path(), precision), "{kind:?} {precision}");
        }
    }
}

#[test]
fn blocks_of_256_as_the_registry_s_madlad_has_them_are_read() {
    let Some(tiny) = common::shared("parity/madlad-tiny") else { return };
    for kind in [GgmlDType::Q4K, GgmlDType::Q6K] {
        let (folder, wide) = wide(&tiny);
        let dequantized = gguf(&wide, kind, &folder.path().join("model-q4k.gguf"));
        let got = said(folder.path(), Precision::F32);
        assert!(got.iter().all(|(_, likelihood)| likelihood.is_finite()));
        std::fs::remove_file(folder.path().join("model-q4k.gguf")).unwrap();
        safetensors(&dequantized, &folder.path().join("model.safetensors"));
        assert_eq!(said(folder.path(), Precision::F32), got, "{kind:?}");
        assert!(got.iter().any(|one| one.0 != got[0].0), "sentences can be told apart: {got:?}");
    }
}

#[test]
fn the_files_that_the_registry_lists_for_madlad_are_enough() {
    let Some(tiny) = common::shared("parity/madlad-tiny") else { return };
    let registry = mujaz::registry::Registry::built_in();
    let entry = registry.find("madlad400-3b-mt").unwrap();
    let (folder, wide) = wide(&tiny);
    let path = |name: &str| folder.path().join(name);
    std::fs::rename(path("tokenizer.json"), path("other")).unwrap();
    std::fs::copy(common::fixture("parity/pieces/bytes.model"), path("spiece.model")).unwrap();
    gguf(&wide, GgmlDType::Q4K, &path("model-q4k.gguf"));
    let listed = entry.files.iter().map(|file| (file.name.clone(), path(&file.name)));
    let paths = load::ModelPaths::of_files("madlad400-3b-mt", listed);
    assert!(paths.files.values().all(|path| path.is_file()), "{paths:?}");
    let mut loaded = load::open(&paths, &LoadOptions::default()).unwrap();
    let found = loaded.engine().raw(&["نعم", "", "وصل الوزير"], &RawOptions::default(), &Silent).unwrap();
    assert!(found[0].tokens > 0 && found[1].tokens == 0 && found[2].tokens > 0, "{found:?}");
    let engine = seq2seq::open(paths.files, &paths.label, &Direction::default(), Precision::F32).unwrap();
    assert_eq!(engine.tokenizer().piece(engine.tokenizer().encode("نعم")[0]), Some("<2en>"));
}

#[test]
fn a_gguf_that_is_named_itself_finds_its_settings_or_says_what_it_lacks() {
    let Some(tiny) = common::shared("parity/madlad-tiny") else { return };
    let copy = without_weights(&tiny);
    let tensors = tensors(&tiny);
    for name in ["model.gguf", "other.gguf"] {
        gguf(&tensors, GgmlDType::F32, &copy.path().join(name));
    }
    // What else has weights is not asked.
    std::fs::write(copy.path().join("model.safetensors"), "broken").unwrap();
    std::fs::write(copy.path().join("model.safetensors.index.json"), "broken").unwrap();
    assert_eq!(said(&copy.path().join("model.gguf"), Precision::F32), said(&tiny, Precision::F32));
    std::fs::remove_file(copy.path().join("config.json")).unwrap();
    let paths = load::ModelPaths::at(&copy.path().join("model.gguf")).unwrap();
    let error = load::open(&paths, &LoadOptions::default()).err().expect("it cannot be known what it is").to_string();
    assert!(error.contains("model.gguf: does not say what it is") && error.contains("config.json"), "{error}");
}
