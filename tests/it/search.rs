//! Beam search and its scheduler over models that are tables: against a search written down a second time from the
//! tensors of the reference, against every sequence there is, and against itself in other company.

mod engine;
mod model;
mod reference;

use mujaz::engine::decode::{Found, Generation, Lengths, Room, Rules, Source, search};
use mujaz::engine::{Error, Finish};
use mujaz::progress::{Progress, Silent};
use proptest::prelude::*;

use model::Table;
use reference::{Answer, Reference};

fn generation(beams: usize) -> Generation {
    Generation {
        decoder_start_token_id: 1,
        eos_token_id: vec![0],
        pad_token_id: Some(1),
        forced_bos_token_id: None,
        forced_eos_token_id: None,
        bad_words_ids: vec![vec![1]],
        num_beams: beams,
        length_penalty: 1.0,
        max_length: 30,
        no_repeat_ngram_size: 0,
        renormalize_logits: false,
    }
}

fn exact(generation: &Generation) -> Rules {
    Rules { best: generation.num_beams, guard: false, ..Rules::new(generation) }
}

fn alone(model: &Table, ids: &[u32], lengths: Lengths, rules: &Rules) -> Vec<Found> {
    let source = Source { ids, lengths };
    let mut found = search(model, &[source], rules, &Room::default(), &Silent).unwrap();
    found.remove(0).unwrap()
}

fn answers(found: &[Found]) -> Vec<Answer> {
    found.iter().map(|found| (found.ids.clone(), found.score, found.log_probability)).collect()
}

/// Everything about decoding that a checkpoint can say.
fn generations() -> impl Strategy<Value = Generation> {
    let words = prop::collection::vec(prop::collection::vec(0u32..4, 1..4), 0..3);
    let parts = (1usize..6, prop::sample::select(vec![0.0f32, 0.6, 1.0, 2.0, -0.5]), 0usize..4, any::<bool>(), words);
    let tokens = (prop::option::of(0u32..4), prop::option::of(0u32..4), prop::sample::subsequence(vec![0u32, 2], 1..3));
    (parts, tokens).prop_map(|((beams, penalty, ngram, renormalize, words), (bos, forced_eos, eos))| Generation {
        eos_token_id: eos,
        forced_bos_token_id: bos,
        forced_eos_token_id: forced_eos,
        bad_words_ids: words,
        length_penalty: penalty,
        no_repeat_ngram_size: ngram,
        renormalize_logits: renormalize,
        ..generation(beams)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn the_search_is_that_of_the_reference(
        generation in generations(),
        vocabulary in 4u32..40,
        seed in any::<u64>(),
        eos_bias in -3.0f64..4.0,
        max_length in 2usize..16,
        min_new_tokens in 0usize..4,
    ) {
        let model = Table { eos_bias, ..Table::new(vocabulary, seed, &generation.eos_token_id) };
        let source = [7, 8, 9];
        let reference =
            Reference { model: &model, source: &source, generation: &generation, max_length, min_new_tokens };
        let lengths = Lengths { min_new: min_new_tokens, max: max_length };
        let found = search(&model, &[Source { ids: &source, lengths }], &exact(&generation), &Room::default(), &Silent);
        let found = match found.unwrap().remove(0) {
            Ok(found) => found,
            Err(Error::NoHypothesis) => Vec::new(),
            Err(error) => panic!("{error}"),
        };
        if generation.num_beams > 1 {
            prop_assert_eq!(answers(&found), reference.beam_search());
        } else if !found.is_empty() {
            prop_assert_eq!(answers(&found), vec![reference.greedy()]);
        }
    }
}

/// The cases of `tests/fixtures/parity/make_beams.py`, which ran the reference's own functions.
#[test]
fn what_the_reference_itself_found_is_found() {
    let text = std::fs::read_to_string(crate::common::fixture("parity/beams.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cases = json["cases"].as_array().unwrap();
    assert!(cases.len() >= 400);
    for case in cases {
        let ids = |value: &serde_json::Value| -> Vec<u32> { serde_json::from_value(value.clone()).unwrap() };
        let number = |name: &str| case[name].as_u64().unwrap() as usize;
        let token = |name: &str| case[name].as_u64().map(|id| id as u32);
        let eos = ids(&case["eos"]);
        let generation = Generation {
            decoder_start_token_id: token("start").unwrap(),
            eos_token_id: eos.clone(),
            forced_bos_token_id: token("forced_bos_token_id"),
            forced_eos_token_id: token("forced_eos_token_id"),
            bad_words_ids: case["bad_words_ids"].as_array().unwrap().iter().map(ids).collect(),
            length_penalty: case["length_penalty"].as_f64().unwrap() as f32,
            no_repeat_ngram_size: number("no_repeat_ngram_size"),
            renormalize_logits: case["renormalize_logits"].as_bool().unwrap(),
            ..generation(number("num_beams"))
        };
        let model = Table {
            eos_bias: case["eos_bias"].as_f64().unwrap(),
            rounded: false,
            ..Table::new(number("vocabulary") as u32, case["seed"].as_str().unwrap().parse().unwrap(), &eos)
        };
        let lengths = Lengths { min_new: number("min_new_tokens"), max: number("max_length") };
        let found = alone(&model, &ids(&case["source"]), lengths, &exact(&generation));
        let expected = case["found"].as_array().unwrap();
        let texts: Vec<Vec<u32>> = expected.iter().map(|expected| ids(&expected["ids"])).collect();
        assert_eq!(found.iter().map(|found| found.ids.clone()).collect::<Vec<_>>(), texts, "{case}");
        for (found, expected) in found.iter().zip(expected) {
            let Some(score) = expected["score"].as_f64() else { continue };
            assert!((f64::from(found.score) - score).abs() < 1e-4 * score.abs().max(1.0), "{case}: {}", found.score);
        }
    }
}

/// All sequences that end by an end token or at the longest length, with their log-probabilities.
fn every_sequence(model: &Table, source: &[u32], max: usize) -> Vec<(Vec<u32>, f32)> {
    let mut open = vec![(vec![1u32], 0.0f32)];
    let mut ended = Vec::new();
    while let Some((ids, sum)) = open.pop() {
        let scores = model::log_softmax(&model.logits(source, &ids), |_| true);
        for token in (0..model.vocabulary).filter(|&token| token != 1) {
            let mut longer = ids.clone();
            longer.push(token);
            let sum = sum + model.scored(scores[token as usize]);
            if token == 0 || longer.len() >= max {
                ended.push((longer[1..].to_vec(), sum));
            } else {
                open.push((longer, sum));
            }
        }
    }
    ended
}

#[test]
fn as_many_beams_as_sequences_find_the_best_of_all() {
    for seed in 0..60 {
        let model = Table::new(5, seed, &[0]);
        let every = every_sequence(&model, &[3], 6);
        for length_penalty in [0.6f32, 1.0, 2.0] {
            let rules = exact(&Generation { length_penalty, ..generation(every.len()) });
            let found = alone(&model, &[3], Lengths { min_new: 0, max: 6 }, &rules);
            let score = |(ids, sum): &(Vec<u32>, f32)| sum / (ids.len() as f64).powf(f64::from(length_penalty)) as f32;
            let best = every.iter().map(score).fold(f32::NEG_INFINITY, f32::max);
            assert_eq!(found[0].score.to_bits(), best.to_bits());
            assert_eq!(found.len(), every.len(), "every sequence is found");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn company_order_room_and_workers_change_nothing(
        sources in prop::collection::vec((prop::collection::vec(2u32..90, 1..12), 2usize..60), 1..30),
        seed in any::<u64>(),
        beams in 1usize..5,
        memory in prop::sample::select(vec![1usize, 2, usize::MAX]),
        eos_bias in -2.0f64..2.0,
        rows in 1usize..60,
        source_tokens in 1usize..90,
        workers in prop::option::of(1usize..4),
        reversed in any::<bool>(),
    ) {
        let model = Table { eos_bias, memory, ..Table::new(20, seed, &[0]) };
        let rules = Rules { best: beams, attention: true, ..Rules::new(&generation(beams)) };
        let mut order: Vec<usize> = (0..sources.len()).collect();
        if reversed {
            order.reverse();
        }
        let source = |i: usize| Source { ids: &sources[i].0, lengths: Lengths { min_new: 0, max: sources[i].1 } };
        let list: Vec<Source> = order.iter().map(|&i| source(i)).collect();
        let room = Room { rows, source_tokens, workers, ..Room::default() };
        let together = search(&model, &list, &rules, &room, &Silent).unwrap();
        {
            let seen = model.seen.lock().unwrap();
            let workers = workers.unwrap_or(1).min(sources.len());
            prop_assert!(seen.rows <= rows / workers && seen.source_tokens <= source_tokens / workers);
        }
        for (&i, found) in order.iter().zip(together) {
            let single = alone(&model, &sources[i].0, source(i).lengths, &rules);
            for found in &single {
                prop_assert_eq!(found.attention.len(), found.ids.len());
                let start = [1];
                let before = start.iter().chain(&found.ids);
                let expected: Vec<Vec<f32>> =
                    before.zip(&found.ids).enumerate().map(|(n, (&id, _))| vec![(n + 1) as f32, id as f32]).collect();
                prop_assert_eq!(&found.attention, &expected);
            }
            prop_assert_eq!(found.unwrap(), single);
        }
    }
}

#[test]
fn a_source_that_fails_leaves_the_others() {
    let model = Table { unreadable: 100, ..Table::new(20, 5, &[0]) };
    let lengths = Lengths { min_new: 0, max: 20 };
    let sources: [&[u32]; 5] = [&[4, 5], &[], &[3; 9], &[4, 200], &[6]];
    let list = sources.map(|ids| Source { ids, lengths });
    let rules = Rules::new(&generation(4));
    let room = Room { max_source: 8, ..Room::default() };
    let results = search(&model, &list, &rules, &room, &Silent).unwrap();
    assert_eq!(*results[0].as_ref().unwrap(), alone(&model, &[4, 5], lengths, &rules));
    assert!(matches!(results[1], Err(Error::EmptyPrompt)));
    assert!(matches!(results[2], Err(Error::TooLong { tokens: 9, limit: 8 })));
    assert!(results[3].is_err());
    assert_eq!(*results[4].as_ref().unwrap(), alone(&model, &[6], lengths, &rules));
}

#[test]
fn everything_banned_is_an_error_and_no_silence() {
    let model = Table::new(3, 5, &[0]);
    let rules = Rules::new(&Generation { bad_words_ids: vec![vec![1], vec![2]], ..generation(2) });
    let source = Source { ids: &[2], lengths: Lengths { min_new: 5, max: 20 } };
    let mut results = search(&model, &[source], &rules, &Room::default(), &Silent).unwrap();
    assert!(matches!(results.remove(0), Err(Error::NoHypothesis)));
}

#[test]
fn what_loops_is_tried_again_and_cut_only_where_that_does_not_end() {
    let rules = |guard| Rules { guard, ..Rules::new(&generation(1)) };
    let lengths = Lengths { min_new: 0, max: 200 };
    let (mut ended, mut cut) = (0, 0);
    for seed in 0..200 {
        // One token of memory: greedy search goes round until the end, or ends.
        let model = Table { memory: 1, eos_bias: 0.5, ..Table::new(30, seed, &[0]) };
        let plain = &alone(&model, &[2], lengths, &rules(false))[0];
        let guarded = &alone(&model, &[2], lengths, &rules(true))[0];
        match plain.finish {
            Finish::Stop => assert_eq!(plain, guarded, "what does not loop is left alone"),
            _ => match guarded.finish {
                Finish::Stop => {
                    ended += 1;
                    let mut runs: Vec<&[u32]> = guarded.ids.windows(4).collect();
                    runs.sort_unstable();
                    assert!(runs.windows(2).all(|pair| pair[0] != pair[1]), "{:?}", guarded.ids);
                }
                Finish::Loop => {
                    cut += 1;
                    assert!(guarded.ids.len() < 60 && plain.ids.starts_with(&guarded.ids));
                    let mut once = guarded.ids.clone();
                    once.sort_unstable();
                    once.dedup();
                    assert_eq!(once.len(), guarded.ids.len(), "one round of the loop is left");
                }
                Finish::Length => panic!("a loop is no matter of length"),
            },
        }
    }
    assert!(ended > 20 && cut > 0, "{ended} {cut}");
}

#[test]
fn a_limit_is_told_from_an_end_even_where_the_end_token_is_forced() {
    let model = Table { eos_bias: -30.0, ..Table::new(12, 3, &[0]) };
    for (beams, forced) in [(1, None), (1, Some(0)), (4, None), (4, Some(0))] {
        let rules = exact(&Generation { forced_eos_token_id: forced, ..generation(beams) });
        let found = alone(&model, &[2], Lengths { min_new: 0, max: 8 }, &rules);
        assert!(found.iter().all(|found| found.ids.len() == 7 && found.finish == Finish::Length));
        assert_eq!(found[0].ids.last() == Some(&0), forced.is_some());
    }
}

#[test]
fn exactly_so_many_tokens_are_written_where_that_is_asked_for() {
    let model = Table { eos_bias: 4.0, ..Table::new(12, 3, &[0]) };
    for beams in [1, 4] {
        let found = alone(&model, &[2], Lengths { min_new: 30, max: 31 }, &exact(&generation(beams)));
        assert_eq!(found[0].ids.len(), 30);
    }
}

#[test]
fn a_user_who_wants_to_stop_stops_all_workers() {
    struct Stop(std::sync::atomic::AtomicUsize);
    impl Progress for Stop {
        fn cancelled(&self) -> bool {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= 6
        }
    }
    let model = Table { eos_bias: -30.0, ..Table::new(12, 3, &[0]) };
    let ids: Vec<[u32; 2]> = (0..20).map(|i| [2, i]).collect();
    let list: Vec<Source> =
        ids.iter().map(|ids| Source { ids, lengths: Lengths { min_new: 0, max: 100_000 } }).collect();
    let rules = Rules { guard: false, ..Rules::new(&generation(2)) };
    for workers in [1, 3] {
        let room = Room { workers: Some(workers), ..Room::default() };
        let stopped = search(&model, &list, &rules, &room, &Stop(0.into()));
        assert!(matches!(stopped, Err(Error::Cancelled)));
    }
}

#[test]
fn progress_counts_up_to_all_sources_whatever_the_workers() {
    struct Count(std::sync::Mutex<Vec<u64>>);
    impl Progress for Count {
        fn advanced(&self, done: u64) {
            self.0.lock().unwrap().push(done);
        }
    }
    let model = Table::new(12, 3, &[0]);
    let ids: Vec<Vec<u32>> = (1..40).map(|i| vec![2; i]).collect();
    let list: Vec<Source> = ids.iter().map(|ids| Source { ids, lengths: Lengths { min_new: 0, max: 30 } }).collect();
    let count = Count(std::sync::Mutex::default());
    let room = Room { workers: Some(3), ..Room::default() };
    search(&model, &list, &Rules::new(&generation(4)), &room, &count).unwrap();
    assert_eq!(*count.0.lock().unwrap(), (1..40).collect::<Vec<u64>>());
    assert!(model.seen.lock().unwrap().single_threaded);
    assert!(model.seen.lock().unwrap().reads < 30, "waiting sources are read in groups");
}
