//! Sentences that travel together give, bit for bit, what each gives alone: in any order, with any room, whatever workers
//! share them and however many threads there are.

use mujaz::engine::decode::Room;
use mujaz::engine::kernels::dense::Precision;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;

/// What must not change; floats by their bits.
fn bits(found: &Decoded) -> (Vec<u32>, u32, u32, String, Vec<Vec<u32>>) {
    let attention = found.trace.as_ref().map(|trace| &trace.attention[..]).unwrap_or_default();
    let attention = attention.iter().map(|row| row.iter().map(|weight| weight.to_bits()).collect()).collect();
    let Decoded { hypothesis, ids, score, .. } = found;
    (ids.clone(), score.to_bits(), hypothesis.log_probability.to_bits(), hypothesis.text.clone(), attention)
}

/// The reference's sentences, parts of them, and what is longer than the tiny models take at once.
fn sentence() -> impl Strategy<Value = String> {
    let expected = expected(&big());
    let words: Vec<String> = texts(&expected).into_iter().flat_map(str::split_whitespace).map(str::to_owned).collect();
    let whole: Vec<String> = texts(&expected).into_iter().map(str::to_owned).collect();
    prop_oneof![
        3 => prop::sample::select(whole),
        5 => prop::collection::vec(prop::sample::select(words.clone()), 0..9).prop_map(|words| words.join(" ")),
        1 => prop::collection::vec(prop::sample::select(words), 40..70).prop_map(|words| words.join(" ")),
    ]
}

fn alone_and_together(folder: &Path, precision: Precision, cases: u32) {
    let alone = engine(folder, precision);
    let together = std::sync::Mutex::new(engine(folder, precision));
    let strategy = (
        prop::collection::vec(sentence(), 1..10).prop_shuffle(),
        (1usize..70, 1usize..300, prop::option::of(1usize..4)),
        (1usize..6, any::<bool>(), any::<bool>()),
        1usize..5,
    );
    let mut runner = TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() });
    runner
        .run(&strategy, |(sentences, (rows, source_tokens, workers), (beams, guard, trace), threads)| {
            let how = Decoding { beams, guard, trace, max_new_tokens: 40, ..Decoding::default() };
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let lines: Vec<&str> = sentences.iter().map(String::as_str).collect();
            let mut engine = together.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            engine.set_room(Room { rows, source_tokens, workers, ..Room::default() });
            let found = pool.install(|| decode(&engine, &lines, &how));
            prop_assert_eq!(found.len(), lines.len());
            for (line, found) in lines.iter().zip(&found) {
                prop_assert_eq!(bits(found), bits(&decode(&alone, &[line], &how)[0]), "{}", line);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn company_changes_no_bit_in_f32() {
    for folder in references() {
        alone_and_together(&folder, Precision::F32, 12);
    }
}

#[test]
fn company_changes_no_bit_in_int8() {
    for folder in references() {
        alone_and_together(&folder, Precision::Int8, 12);
    }
}

#[test]
fn a_list_and_its_reverse_are_the_same_translations() {
    let expected = expected(&big());
    let lines: Vec<&str> = texts(&expected).into_iter().cycle().take(40).collect();
    let backwards: Vec<&str> = lines.iter().rev().copied().collect();
    for precision in [Precision::F32, Precision::Int8] {
        let engine = engine(&big(), precision);
        let forth = decode(&engine, &lines, &Decoding::default());
        let mut back = decode(&engine, &backwards, &Decoding::default());
        back.reverse();
        assert!(forth.iter().zip(&back).all(|(forth, back)| bits(forth) == bits(back)));
        assert!(forth.chunks(8).all(|round| round.iter().zip(&forth).all(|(again, first)| bits(again) == bits(first))));
    }
}
