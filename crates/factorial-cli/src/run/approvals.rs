//! Approvals that a run needs, told or asked for while it is watched.
//!
//! The watch loop calls `next` beside the events and `take` with what it gives. Invariant: nothing here waits for the
//! person or for the gateway, except `next`, which can be given up at any time.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use factorial_api::{Problem, Task};
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::desk::{Desk, Question, Said};
use super::errands::{self, Below, News};
use super::lines::Lines;
use super::screen::Screen;
use crate::config::login_name;
use crate::gateway::Gateway;
use crate::output::{Tint, indented};

/// How often it looks what descendants ask.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Most columns of arguments that are told and not asked for.
const SHORT: usize = 160;
const CHOICES: &str = "  [y]es / [n]o (reason) / [l]ater: ";
const WHY: &str = "  reason (the model is told; Enter for none): ";

/// What is worth a turn of the watch loop.
pub(super) enum Happening {
    News(News),
    /// The person typed a line, or closed standard input.
    Line(Option<String>),
    /// Descendants may ask something.
    Tick,
}

/// What is open, and who is asked.
pub(super) struct Approvals<'a> {
    gateway: &'a Gateway,
    id: String,
    owner: String,
    by: Option<String>,
    desk: Desk,
    /// The person is asked; else told what to type elsewhere.
    asks: bool,
    lines: Option<Lines>,
    errands: FuturesUnordered<BoxFuture<'static, News>>,
    timer: Interval,
    /// Somebody looks what descendants ask.
    looking: bool,
    /// There are descendants.
    has_children: bool,
    relatives: BTreeMap<String, bool>,
}

impl<'a> Approvals<'a> {
    /// `asks`: the person is there, and wants to be asked.
    pub(super) fn new(gateway: &'a Gateway, task: &Task, asks: bool) -> Self {
        let mut timer = interval(LOOK_EVERY);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            gateway,
            id: task.id.clone(),
            owner: task.owner_id.clone(),
            by: login_name(),
            desk: Desk::default(),
            asks,
            lines: None,
            errands: FuturesUnordered::new(),
            timer,
            looking: false,
            has_children: false,
            relatives: BTreeMap::new(),
        }
    }

    /// The watched task asks for a yes.
    pub(super) fn asked(&mut self, call: &str) {
        self.desk.reopen(&(self.id.clone(), call.to_owned()));
        // One look brings all that were asked at once.
        let look = errands::own(self.gateway.client.clone(), self.id.clone());
        self.errands.push(Box::pin(look));
    }

    /// A call of the watched task was decided.
    pub(super) fn decided(&mut self, call: &str, screen: &mut Screen) -> io::Result<()> {
        let shown = self.desk.close((self.id.clone(), call.to_owned()));
        self.refresh(shown, screen)
    }

    /// Nothing of the watched task is open any more.
    pub(super) fn all_decided(&mut self, screen: &mut Screen) -> io::Result<()> {
        let id = self.id.clone();
        self.close(|task| task == id, screen)
    }

    /// A child of the watched task has ended.
    pub(super) fn child_ended(&mut self, child: &str, screen: &mut Screen) -> io::Result<()> {
        self.close(|task| task == child, screen)
    }

    /// Whether the watched task has children that have not ended.
    pub(super) fn has_children(&mut self, they_are: bool, screen: &mut Screen) -> io::Result<()> {
        let had = std::mem::replace(&mut self.has_children, they_are);
        if they_are || !had {
            return Ok(());
        }
        let id = self.id.clone();
        self.close(|task| task != id, screen)
    }

    /// What these tasks ask is not open any more.
    fn close(&mut self, of: impl Fn(&str) -> bool, screen: &mut Screen) -> io::Result<()> {
        let mut shown = false;
        for key in self.desk.open(of) {
            shown |= self.desk.close(key);
        }
        self.refresh(shown, screen)
    }

    /// What happens next.
    pub(super) async fn next(&mut self) -> Happening {
        let Self {
            lines,
            errands,
            timer,
            ..
        } = self;
        let line = async {
            match lines {
                Some(lines) => lines.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(news) = errands.next(), if !errands.is_empty() => Happening::News(news),
            line = line => Happening::Line(line),
            _ = timer.tick(), if self.has_children && !self.looking => Happening::Tick,
        }
    }

    /// Takes what happened.
    ///
    /// # Errors
    /// When standard output is closed.
    pub(super) fn take(&mut self, happening: Happening, screen: &mut Screen) -> io::Result<()> {
        match happening {
            Happening::Tick => {
                self.looking = true;
                let (client, relatives) = (self.gateway.client.clone(), self.relatives.clone());
                let look = errands::below(client, self.id.clone(), self.owner.clone(), relatives);
                self.errands.push(Box::pin(look));
                Ok(())
            }
            Happening::News(News::Own(Ok(questions))) => self.add(questions, screen),
            Happening::News(News::Own(Err(source))) => {
                let error = self.gateway.failed(source);
                let note = format!("a call needs a yes, but: {error}");
                screen.progress(Tint::Bad, "!", &note)
            }
            Happening::News(News::Below(found)) => {
                self.looking = false;
                // The next look may succeed.
                found.map_or(Ok(()), |found| self.below(found, screen))
            }
            Happening::News(News::Answered(question, Ok(answer))) => {
                self.desk.close(question.key());
                if question.agent.is_none() {
                    // Its own event tells.
                    return Ok(());
                }
                let text = format!("{} {}", question.name(), answer.outcome.as_str());
                screen.progress(Tint::Good, "✓", &text)
            }
            Happening::News(News::Answered(question, Err(source))) => {
                let refused = |problem: &Problem| problem.status < 500 && problem.status != 429;
                let late = source.problem().is_some_and(refused);
                let error = self.gateway.failed(source);
                screen.progress(Tint::Bad, "!", &error.to_string())?;
                if late {
                    self.desk.close(question.key());
                    return Ok(());
                }
                let shown = self.desk.first().is_none();
                self.desk.put_back(*question);
                self.refresh(shown, screen)
            }
            Happening::Line(Some(line)) => self.hear(&line, screen),
            Happening::Line(None) => {
                self.lines = None;
                self.asks = false;
                screen.unask();
                while let Some(question) = self.desk.next() {
                    self.tell(&question, screen)?;
                }
                Ok(())
            }
        }
    }

    fn below(&mut self, found: Below, screen: &mut Screen) -> io::Result<()> {
        self.relatives = found.relatives;
        if !self.has_children {
            // Looked before they ended.
            return Ok(());
        }
        let mut shown = false;
        if found.complete {
            let open: BTreeSet<_> = found.questions.iter().map(Question::key).collect();
            for key in self.desk.open(|task| task != self.id) {
                if !open.contains(&key) {
                    shown |= self.desk.close(key);
                }
            }
        }
        self.refresh(shown, screen)?;
        self.add(found.questions, screen)
    }

    fn add(&mut self, questions: Vec<Question>, screen: &mut Screen) -> io::Result<()> {
        let none = self.desk.first().is_none();
        for question in questions {
            if self.asks {
                self.desk.add(question);
            } else if self.desk.add(question.clone()) {
                self.desk.next();
                self.tell(&question, screen)?;
            }
        }
        self.refresh(none, screen)
    }

    /// Another question is the first one, if `changed`.
    fn refresh(&mut self, changed: bool, screen: &mut Screen) -> io::Result<()> {
        if !changed {
            return Ok(());
        }
        screen.unask();
        let Some(question) = self.desk.first() else {
            return Ok(());
        };
        screen.progress(Tint::Busy, "?", &question.headline())?;
        screen.plain(&indented(&question.arguments))?;
        match &mut self.lines {
            Some(lines) => lines.forget(),
            None => self.lines = Some(Lines::start()?),
        }
        screen.ask(CHOICES)
    }

    fn hear(&mut self, line: &str, screen: &mut Screen) -> io::Result<()> {
        if self.desk.first().is_none() {
            return Ok(());
        }
        screen.heard();
        let said = self.desk.hear(line);
        match said {
            Said::Unclear => return screen.ask(CHOICES),
            Said::Why => return screen.ask(WHY),
            Said::Yes | Said::No(_) | Said::Later => {}
        }
        let Some(question) = self.desk.next() else {
            return Ok(());
        };
        let (client, by) = (self.gateway.client.clone(), self.by.clone());
        match said {
            Said::Yes => {
                let errand = errands::approve(client, question, by);
                self.errands.push(Box::pin(errand));
            }
            Said::No(reason) => {
                let errand = errands::deny(client, question, reason, by);
                self.errands.push(Box::pin(errand));
            }
            _ => self.tell(&question, screen)?,
        }
        self.refresh(true, screen)
    }

    /// Says what to type elsewhere.
    fn tell(&self, question: &Question, screen: &mut Screen) -> io::Result<()> {
        let open = self.desk.open(|task| task == question.task_id);
        screen.progress(Tint::Busy, "?", &question.hint(open.len() == 1))?;
        screen.plain(&question.arguments_in(SHORT))
    }
}
