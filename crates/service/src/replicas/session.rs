//! One connection to the others, from hello to bye. The reasoning behind each step is in `docs/decisions/0008-replicas-forget-before-the-answer.md`.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use store::announce::{Announcement, Ear, Mouth};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::member::{Leaving, Member};
use super::{CHANNEL, Change, LEASE, Memory, Message, Replicas};

/// How often a process proves to itself that it hears everything.
const BEAT: Duration = Duration::from_millis(500);
/// The pauses between attempts to come back.
const PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(2)];
/// Messages that wait to be looked at; more wait in the connection.
const WAITING: usize = 4096;

/// Why a session ended unasked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("the database: {0}")]
    Database(#[from] store::Error),
    #[error("the connection was lost")]
    Lost,
    #[error("the database takes too long to deliver")]
    Late,
    #[error("another process waited in vain for an answer")]
    Gone,
    #[error("the settings could not be read: {0}")]
    Settings(crate::Error),
}

/// Joins, and joins again whenever the connection broke, until told to stop.
pub(super) async fn run(memory: Memory, mut stop: watch::Receiver<bool>, ready: oneshot::Sender<()>) {
    let replicas = memory.services.core.replicas.clone();
    let mut ready = Some(ready);
    let mut pause = PAUSES[0];
    while !*stop.borrow() {
        let ended = match Session::open(&memory).await {
            Ok(mut session) => {
                let ended = session.live(&mut stop, &mut ready).await;
                if session.joined_at.is_some() {
                    pause = PAUSES[0];
                }
                // Before the farewell: who said bye may be forgotten by others at once.
                replicas.lease.end();
                session.farewell().await;
                ended
            }
            Err(error) => Err(error),
        };
        replicas.lease.end();
        replicas.alone.store(false, Ordering::SeqCst);
        memory.forget_everything();
        let Err(why) = ended else { return };
        tracing::warn!(%why, "not connected with the other processes for a moment; everything is read from the database until then");
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.changed() => {}
        }
        pause = (pause * 2).min(PAUSES[1]);
    }
}

struct Session {
    memory: Memory,
    replicas: Arc<Replicas>,
    me: String,
    mouth: Mouth,
    heard: mpsc::Receiver<String>,
    ear: tokio::task::JoinHandle<()>,
    /// To be said next.
    words: Vec<Announcement>,
    /// Whom to tell that its changes were heard, and up to which.
    answers: BTreeMap<String, u64>,
    members: HashMap<String, Member>,
    left: HashSet<String>,
    /// Beats that have not come back: number and a moment before they were said.
    beats: VecDeque<(u64, Instant)>,
    beat: u64,
    /// Beats up to this one were said before the answer to somebody's hello: they prove nothing to it.
    floor: u64,
    /// The last proof, before having joined.
    proof: Option<Instant>,
    hello_at: Instant,
    hello_number: u64,
    /// Ears at the time of the hello; counts only for the first time this process joins.
    ears: Option<usize>,
    joined_at: Option<Instant>,
    /// The last number taken out of the outbox.
    taken: u64,
    /// Settings have to be read before anything is answered.
    stale_settings: bool,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.ear.abort();
    }
}

fn channel_of(id: &str) -> String {
    format!("{CHANNEL}_{id}")
}

async fn listen(mut ear: Ear, heard: mpsc::Sender<String>) {
    // Whatever ends it ends the session: the receiver sees the channel closed.
    while let Ok(Some(text)) = ear.hear().await {
        if heard.send(text).await.is_err() {
            return;
        }
    }
}

impl Session {
    async fn open(memory: &Memory) -> Result<Self, Broken> {
        let core = &memory.services.core;
        let mut id = [0; 8];
        core.ids.fill(&mut id);
        let me = format!("{:016x}", u64::from_be_bytes(id));
        let opened = timeout(LEASE, store::announce::open(&core.db, &[CHANNEL, &channel_of(&me)])).await;
        let (ear, mouth) = opened.map_err(|_| Broken::Late)??.ok_or(Broken::Lost)?;
        let (sender, heard) = mpsc::channel(WAITING);
        Ok(Self {
            memory: memory.clone(),
            replicas: core.replicas.clone(),
            me,
            mouth,
            heard,
            ear: tokio::spawn(listen(ear, sender)),
            words: Vec::new(),
            answers: BTreeMap::new(),
            members: HashMap::new(),
            left: HashSet::new(),
            beats: VecDeque::new(),
            beat: 0,
            floor: 0,
            proof: None,
            hello_at: Instant::now(),
            hello_number: 0,
            ears: None,
            joined_at: None,
            taken: 0,
            stale_settings: false,
        })
    }

    async fn live(&mut self, stop: &mut watch::Receiver<bool>, ready: &mut Option<oneshot::Sender<()>>) -> Result<(), Broken> {
        self.hello().await?;
        let replicas = self.replicas.clone();
        let mut tick = tokio::time::interval(BEAT);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                text = self.heard.recv() => {
                    self.take(&text.ok_or(Broken::Lost)?)?;
                    while let Ok(text) = self.heard.try_recv() {
                        self.take(&text)?;
                    }
                }
                () = replicas.wake.notified() => {}
                _ = tick.tick() => self.tick()?,
                _ = stop.changed() => return Ok(()),
            }
            self.join();
            self.refresh().await?;
            self.tell_changes();
            self.speak().await?;
            self.settle();
            if self.joined_at.is_some()
                && let Some(ready) = ready.take()
            {
                // Nobody waits any more if the start was given up.
                let _ = ready.send(());
            }
        }
    }

    /// Everybody forgets everything at it, so whatever this process could not tell before is told with it.
    async fn hello(&mut self) -> Result<(), Broken> {
        self.hello_number = self.replicas.take_outbox().number;
        self.taken = self.hello_number;
        self.say(CHANNEL.to_owned(), &Message::Hello { from: self.me.clone() });
        self.push_beat();
        self.speak().await?;
        self.hello_at = Instant::now();
        if !self.replicas.joined_once.load(Ordering::SeqCst) {
            self.ears = Some(timeout(LEASE, self.mouth.listeners()).await.map_err(|_| Broken::Late)??);
        }
        Ok(())
    }

    fn forget_everything(&mut self) {
        self.memory.forget_everything();
        self.stale_settings = true;
    }

    async fn refresh(&mut self) -> Result<(), Broken> {
        if std::mem::take(&mut self.stale_settings) {
            timeout(LEASE, self.memory.refresh()).await.map_err(|_| Broken::Late)?.map_err(Broken::Settings)?;
        }
        Ok(())
    }

    fn say(&mut self, channel: String, message: &Message) {
        self.words.push((channel, message.to_string()));
    }

    fn push_beat(&mut self) {
        self.beat += 1;
        self.beats.push_back((self.beat, Instant::now()));
        self.say(CHANNEL.to_owned(), &Message::Beat { from: self.me.clone(), number: self.beat });
    }

    async fn speak(&mut self) -> Result<(), Broken> {
        for (to, number) in std::mem::take(&mut self.answers) {
            self.say(channel_of(&to), &Message::Heard { from: self.me.clone(), number });
        }
        if self.words.is_empty() {
            return Ok(());
        }
        let words = std::mem::take(&mut self.words);
        timeout(LEASE, self.mouth.say(&words)).await.map_err(|_| Broken::Late)??;
        let now = Instant::now();
        for member in self.members.values_mut().filter(|m| m.leaving == Leaving::Asked) {
            member.leaving = Leaving::Told(now);
        }
        Ok(())
    }

    fn take(&mut self, text: &str) -> Result<(), Broken> {
        let Some(message) = Message::parse(text) else {
            self.forget_everything();
            return Ok(());
        };
        match message {
            Message::Hello { from } if from != self.me => self.welcome(from),
            Message::Here { from } => self.add(from, self.hello_number),
            Message::Said { from, number, changes } if from != self.me => {
                match changes {
                    Some(changes) => {
                        self.stale_settings |= changes.contains(&Change::Settings);
                        changes.into_iter().for_each(|change| self.memory.forget(change));
                    }
                    None => self.forget_everything(),
                }
                self.answers.insert(from, number);
            }
            Message::Heard { from, number } => {
                if let Some(member) = self.members.get_mut(&from) {
                    member.answered(number, self.taken);
                }
            }
            Message::Beat { from, number } if from == self.me => self.echo(number)?,
            Message::Beat { from, .. } => {
                if let Some(member) = self.members.get_mut(&from) {
                    member.beat = Instant::now();
                }
            }
            Message::Gone { .. } => return Err(Broken::Gone),
            Message::Bye { from } => self.remove(from),
            Message::All => self.forget_everything(),
            Message::Hello { .. } | Message::Said { .. } => {}
        }
        Ok(())
    }

    /// Somebody joins: known from now on, before it is told so.
    fn welcome(&mut self, from: String) {
        self.replicas.alone.store(false, Ordering::SeqCst);
        let announced = self.replicas.announced.load(Ordering::SeqCst);
        self.forget_everything();
        self.say(channel_of(&from), &Message::Here { from: self.me.clone() });
        self.add(from, announced);
        self.floor = self.beat;
        self.proof = None;
        self.push_beat();
    }

    fn add(&mut self, from: String, heard: u64) {
        if self.left.contains(&from) {
            return;
        }
        self.replicas.alone.store(false, Ordering::SeqCst);
        self.members.entry(from).or_insert_with(|| Member::new(heard));
    }

    fn remove(&mut self, id: String) {
        self.members.remove(&id);
        // It may have ended between a commit and its announcement.
        self.forget_everything();
        self.left.insert(id);
        self.replicas.alone.store(self.joined_at.is_some() && self.members.is_empty(), Ordering::SeqCst);
    }

    /// A beat came back: everything that was queued before it has been heard.
    fn echo(&mut self, number: u64) -> Result<(), Broken> {
        let mut said = None;
        while let Some(&(n, at)) = self.beats.front()
            && n <= number
        {
            self.beats.pop_front();
            said = Some(at);
        }
        let Some(said) = said else { return Ok(()) };
        let gone: Vec<_> = self.members.iter().filter(|(_, m)| m.is_gone(said)).map(|(id, _)| id.clone()).collect();
        for id in gone {
            tracing::warn!(process = id, "another process does not answer any more; it is not waited for");
            self.remove(id);
        }
        if number <= self.floor {
            return Ok(());
        }
        if self.joined_at.is_none() {
            self.proof = Some(said);
        } else if !self.replicas.lease.extend(said + LEASE) {
            return Err(Broken::Late);
        }
        Ok(())
    }

    /// Begins to believe what is remembered, once everybody knows this process: all that listened at its hello have answered (the first time), or
    /// a lease has passed, and who has not answered by then believes nothing.
    fn join(&mut self) {
        let (None, Some(proof)) = (self.joined_at, self.proof) else { return };
        let all_answered = self.ears.is_some_and(|ears| self.members.len() + 1 >= ears);
        if !all_answered && proof < self.hello_at + LEASE {
            return;
        }
        self.forget_everything();
        self.joined_at = Some(Instant::now());
        self.replicas.lease.begin(proof + LEASE);
        self.replicas.alone.store(self.members.is_empty(), Ordering::SeqCst);
        self.replicas.joined_once.store(true, Ordering::SeqCst);
        tracing::info!(others = self.members.len(), "connected with the other processes on the database");
    }

    fn tell_changes(&mut self) {
        let outbox = self.replicas.take_outbox();
        if outbox.number == self.taken {
            return;
        }
        self.taken = outbox.number;
        if self.joined_at.is_some() && self.members.is_empty() {
            return;
        }
        let changes = (!outbox.anything).then_some(outbox.changes);
        self.say(CHANNEL.to_owned(), &Message::Said { from: self.me.clone(), number: outbox.number, changes });
        for member in self.members.values_mut() {
            member.owing.get_or_insert(Instant::now());
        }
    }

    /// Lets answers go that everybody has heard of. Only under the lease: without it somebody may have joined unheard.
    fn settle(&self) {
        if self.joined_at.is_none() || !self.replicas.hears() {
            return;
        }
        let heard = self.members.values().map(|m| m.heard).fold(self.taken, u64::min);
        self.replicas.settled.send_if_modified(|settled| {
            let further = *settled < heard;
            *settled = heard.max(*settled);
            further
        });
    }

    fn tick(&mut self) -> Result<(), Broken> {
        if self.joined_at.is_some() && !self.replicas.hears() {
            return Err(Broken::Late);
        }
        self.push_beat();
        let mut told = Vec::new();
        for (id, member) in self.members.iter_mut().filter(|(_, m)| m.is_to_be_told()) {
            member.leaving = Leaving::Asked;
            told.push(id.clone());
        }
        for id in told {
            self.say(channel_of(&id), &Message::Gone { from: self.me.clone() });
        }
        Ok(())
    }

    /// The last word, if it can still be said.
    async fn farewell(&mut self) {
        let bye = Message::Bye { from: self.me.clone() }.to_string();
        // The connection may be what broke.
        let _ = timeout(BEAT, self.mouth.say(&[(CHANNEL.to_owned(), bye)])).await;
    }
}
