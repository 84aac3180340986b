//! Runs concurrent actors through every order of their atomic steps, on real engines.
//!
//! An actor announces each step before it takes it, and takes it when it is granted; so one schedule is one list of choices, and a
//! fresh run can replay any beginning of it. Orders that differ only in steps that cannot influence each other are run once
//! (sleep sets: Godefroid, "Partial-Order Methods for the Verification of Concurrent Systems", LNCS 1032, 1996, chapter 5).

use std::{collections::HashMap, future::Future, pin::Pin};

use tokio::sync::{mpsc, oneshot};

/// What a step touches. Steps of two actors influence each other only where one could see the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The live tier; even a look-up may hand out a lease there.
    Cache,
    /// The durable tier, reading.
    StoreRead,
    /// The durable tier, writing.
    StoreWrite,
}

impl Place {
    fn sees(self, other: Self) -> bool {
        match (self, other) {
            (Self::Cache, Self::Cache) => true,
            (Self::Cache, _) | (_, Self::Cache) | (Self::StoreRead, Self::StoreRead) => false,
            _ => true,
        }
    }
}

/// One choice of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Choice {
    /// This actor takes its next step.
    Step(usize),
    /// This actor's process dies before its next step.
    Crash(usize),
    /// Fate strikes the live tier.
    Fault,
}

/// What happened in a run, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A choice was carried out.
    Chosen(Choice),
    /// An actor gave its answer.
    Finished(usize),
}

/// An actor, to be polled by the scheduler.
pub type Actor = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How an actor announces its steps.
#[derive(Debug, Clone)]
pub struct Turn {
    actor: usize,
    announce: mpsc::UnboundedSender<Announcement>,
}

#[derive(Debug)]
struct Announcement {
    actor: usize,
    /// The step that is about to be taken; `None`: the actor has finished.
    step: Option<(Place, oneshot::Sender<()>)>,
}

impl Turn {
    /// Waits until the schedule grants the next step. An actor that crashed waits for ever.
    pub async fn step(&self, place: Place) {
        let (grant, granted) = oneshot::channel();
        let announced = Announcement { actor: self.actor, step: Some((place, grant)) };
        if self.announce.send(announced).is_err() || granted.await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The single fault that a schedule may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// None.
    Kind,
    /// One process dies after any of its steps.
    Crash,
    /// The live tier is struck once, before any step.
    Strike,
}

/// Which schedules are played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orders {
    /// All that there are.
    All,
    /// One of those that differ only in steps that cannot influence each other.
    Distinct,
}

/// A beginning of a schedule, and the choices that lead only where others have been already.
#[derive(Debug, Clone, Default)]
pub struct Branch {
    choices: Vec<Choice>,
    asleep: Vec<Choice>,
}

/// A run from its beginning to its end.
#[derive(Debug)]
pub struct Run {
    /// What happened.
    pub events: Vec<Event>,
    /// Other schedules that begin as this one did.
    pub branches: Vec<Branch>,
    /// Whether the end was reached; if not, another run reaches an equivalent one.
    pub complete: bool,
}

/// The run so far.
struct Stage {
    waiting: HashMap<usize, (Place, oneshot::Sender<()>)>,
    begun: Vec<usize>,
    fate: Fate,
    orders: Orders,
    events: Vec<Event>,
}

impl Stage {
    fn enabled(&self) -> Vec<Choice> {
        let mut actors: Vec<usize> = self.waiting.keys().copied().collect();
        actors.sort_unstable();
        let mut enabled: Vec<Choice> = actors.iter().copied().map(Choice::Step).collect();
        match self.fate {
            Fate::Kind => {}
            Fate::Crash => {
                enabled.extend(actors.iter().filter(|a| self.begun.contains(a)).map(|a| Choice::Crash(*a)));
            }
            Fate::Strike if actors.is_empty() => {}
            Fate::Strike => enabled.push(Choice::Fault),
        }
        enabled
    }

    /// Whether it matters which of two choices comes first.
    fn influence(&self, one: Choice, other: Choice) -> bool {
        if self.orders == Orders::All {
            return true;
        }
        let place = |actor: usize| self.waiting.get(&actor).map(|(place, _)| *place);
        match (one, other) {
            (Choice::Step(a), Choice::Step(b)) => {
                a == b || place(a).zip(place(b)).is_none_or(|(one, other)| one.sees(other))
            }
            (Choice::Step(a), Choice::Fault) | (Choice::Fault, Choice::Step(a)) => {
                place(a) == Some(Place::Cache)
            }
            (Choice::Step(a), Choice::Crash(b)) | (Choice::Crash(b), Choice::Step(a)) => a == b,
            // A schedule holds one fault: either takes the other's place.
            _ => true,
        }
    }
}

/// Plays one schedule: the branch's choices, then whatever comes first. `actors` makes each actor with its turn; `strike` is what
/// [`Choice::Fault`] does.
///
/// # Panics
/// Where the actors do not take the same steps again: then the engines do not behave alike in alike runs.
pub async fn play<S: Future<Output = ()>>(
    branch: Branch,
    (orders, fate): (Orders, Fate),
    actors: Vec<Box<dyn FnOnce(Turn) -> Actor + Send>>,
    strike: impl Fn() -> S,
) -> Run {
    let (announce, mut announced) = mpsc::unbounded_channel();
    let mut tasks = Vec::new();
    for (actor, make) in actors.into_iter().enumerate() {
        let work = make(Turn { actor, announce: announce.clone() });
        let announce = announce.clone();
        tasks.push(tokio::spawn(async move {
            work.await;
            // The scheduler may have ended the run.
            let _ = announce.send(Announcement { actor, step: None });
        }));
    }
    let mut stage = Stage { waiting: HashMap::new(), begun: Vec::new(), fate, orders, events: Vec::new() };
    for _ in 0..tasks.len() {
        hear(&mut stage, &mut announced).await;
    }
    let (mut asleep, mut branches, mut taken) = (Vec::new(), Vec::new(), Vec::new());
    let mut replay = branch.choices.into_iter();
    let complete = loop {
        let enabled = stage.enabled();
        if stage.waiting.is_empty() {
            break true;
        }
        let choice = if let Some(choice) = replay.next() {
            assert!(enabled.contains(&choice), "{choice:?} of {taken:?} cannot be replayed");
            if replay.len() == 0 {
                asleep.clone_from(&branch.asleep);
            }
            choice
        } else {
            let mut awake = enabled.into_iter().filter(|choice| !asleep.contains(choice));
            let Some(choice) = awake.next() else { break false };
            let mut before: Vec<Choice> = asleep.clone();
            before.push(choice);
            for other in awake {
                let choices = taken.iter().copied().chain([other]).collect();
                let asleep = before.iter().copied().filter(|b| !stage.influence(*b, other)).collect();
                branches.push(Branch { choices, asleep });
                before.push(other);
            }
            asleep.retain(|sleeping| !stage.influence(*sleeping, choice));
            choice
        };
        taken.push(choice);
        stage.events.push(Event::Chosen(choice));
        match choice {
            Choice::Step(actor) => {
                let (_, grant) = stage.waiting.remove(&actor).expect("an enabled actor waits");
                stage.begun.push(actor);
                grant.send(()).expect("a waiting actor listens");
                hear(&mut stage, &mut announced).await;
            }
            Choice::Crash(actor) => {
                stage.fate = Fate::Kind;
                stage.waiting.remove(&actor);
                tasks[actor].abort();
            }
            Choice::Fault => {
                stage.fate = Fate::Kind;
                strike().await;
            }
        }
    };
    for task in tasks {
        task.abort();
    }
    Run { events: stage.events, branches, complete }
}

async fn hear(stage: &mut Stage, announced: &mut mpsc::UnboundedReceiver<Announcement>) {
    let patience = std::time::Duration::from_secs(60);
    let heard = tokio::time::timeout(patience, announced.recv()).await;
    let Announcement { actor, step } =
        heard.expect("an actor that was granted a step takes it").expect("actors announce");
    match step {
        Some(step) => {
            stage.waiting.insert(actor, step);
        }
        None => stage.events.push(Event::Finished(actor)),
    }
}

#[cfg(test)]
mod tests;
