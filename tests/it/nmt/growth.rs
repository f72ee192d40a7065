//! Twice the lines are twice the work and no more memory: counted in what the model is asked for, which no clock disturbs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use mujaz::engine::decode::Room;
use mujaz::engine::decode::step::{Scored, Step, Stepper, Threads, Want};
use mujaz::engine::kernels::dense::Precision;
use mujaz::engine::load::ModelPaths;
use mujaz::engine::seq2seq::model::Source;
use mujaz::engine::seq2seq::{self, Direction, Facts, Weights, architecture};
use mujaz::engine::{Error, checkpoint::Checkpoint};

use super::*;

/// What a model was asked for.
#[derive(Debug, Default)]
struct Counts {
    /// Source tokens that were read.
    read: AtomicUsize,
    /// Calls of the decoder.
    steps: AtomicUsize,
    /// Hypotheses that grew by a token.
    rows: AtomicUsize,
    /// Source tokens that are held now, and the most at once.
    tokens: [AtomicUsize; 2],
    /// Sources that are held now, and the most at once.
    sources: [AtomicUsize; 2],
    /// Most hypotheses of one call.
    widest: AtomicUsize,
}

fn more([now, most]: &[AtomicUsize; 2], by: usize) {
    most.fetch_max(now.fetch_add(by, SeqCst) + by, SeqCst);
}

/// A real model whose calls are counted.
struct Counted {
    model: Model,
    counts: Arc<Counts>,
}

/// A source that says when it is let go.
struct Held {
    source: Source,
    tokens: usize,
    counts: Arc<Counts>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.counts.tokens[0].fetch_sub(self.tokens, SeqCst);
        self.counts.sources[0].fetch_sub(1, SeqCst);
    }
}

impl Stepper for Counted {
    type Source = Held;

    fn read(&self, sources: &[&[u32]], threads: Threads) -> Result<Vec<Held>, Error> {
        let read = self.model.read(sources, threads)?;
        let held = read.into_iter().zip(sources).map(|(source, ids)| {
            self.counts.read.fetch_add(ids.len(), SeqCst);
            more(&self.counts.tokens, ids.len());
            more(&self.counts.sources, 1);
            Held { source, tokens: ids.len(), counts: Arc::clone(&self.counts) }
        });
        Ok(held.collect())
    }

    fn step(&self, steps: &mut [Step<'_, Held>], want: &Want<'_>, threads: Threads) -> Result<Vec<Scored>, Error> {
        let mut inner: Vec<Step<'_, Source>> =
            steps.iter_mut().map(|step| Step { source: &mut step.source.source, grow: step.grow }).collect();
        let rows = inner.iter().map(|step| step.grow.len()).sum();
        self.counts.steps.fetch_add(1, SeqCst);
        self.counts.rows.fetch_add(rows, SeqCst);
        self.counts.widest.fetch_max(rows, SeqCst);
        self.model.step(&mut inner, want, threads)
    }
}

fn counted() -> (Seq2SeqEngine<Counted>, Arc<Counts>) {
    let checkpoint = Checkpoint::open(ModelPaths::at(&big()).unwrap().files).unwrap();
    let found = architecture(&checkpoint, &Direction::default()).unwrap();
    let weights = Weights::load(&checkpoint, found.naming.as_ref(), &found.spec, Precision::Int8).unwrap();
    let model = seq2seq::Model::new(found.spec, weights);
    let limit = Some(model.max_positions());
    let facts = Facts {
        model: "counted".into(),
        revision: String::new(),
        precision: "int8".into(),
        max_source: limit,
        max_target: limit,
    };
    let counts = Arc::new(Counts::default());
    let model = Counted { model, counts: Arc::clone(&counts) };
    (Seq2SeqEngine::new(model, found.tokenizer, found.generation, facts), counts)
}

#[test]
fn twice_the_lines_are_twice_the_work_and_hold_no_more() {
    let expected = expected(&big());
    // A line that is cut into pieces among short ones.
    let long = texts(&expected).join(" و ");
    let mut kinds = texts(&expected);
    kinds.push(&long);
    for workers in [1, 2] {
        let room = Room { rows: 48, source_tokens: 400, workers: Some(workers), ..Room::default() };
        let run = |count: usize| {
            let (mut engine, counts) = counted();
            engine.set_room(room);
            let lines: Vec<&str> = kinds.iter().copied().cycle().take(count).collect();
            assert_eq!(decode(&engine, &lines, &Decoding::default()).len(), count);
            assert_eq!(counts.sources[0].load(SeqCst), 0, "what is finished is let go");
            println!("{count} lines, {workers} workers: {counts:?}");
            assert!(counts.widest.load(SeqCst) <= room.rows / workers, "{counts:?}");
            assert!(counts.sources[1].load(SeqCst) <= room.rows / 4, "{counts:?}");
            assert!(counts.tokens[1].load(SeqCst) <= room.source_tokens, "{counts:?}");
            counts
        };
        let (once, twice, four) = (run(90), run(180), run(360));
        for (small, large) in [(&once, &twice), (&twice, &four)] {
            let both = |count: fn(&Counts) -> &AtomicUsize| (count(small).load(SeqCst), count(large).load(SeqCst));
            // What happens to a line does not depend on the others, so this is exact.
            let (read, doubled) = both(|counts| &counts.read);
            assert_eq!(doubled, 2 * read);
            let (rows, doubled) = both(|counts| &counts.rows);
            assert_eq!(doubled, 2 * rows);
            // How rows share calls depends on which worker was quicker.
            let (steps, more) = both(|counts| &counts.steps);
            assert!(more as f64 <= 2.2 * steps as f64, "{steps} and {more} calls");
        }
        if workers == 1 {
            let peak = |counts: &Counts| counts.sources[1].load(SeqCst);
            assert_eq!(peak(&once), peak(&four), "four times the lines are not held at once");
        }
    }
}
