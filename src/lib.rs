//! pgbaton: a console for PostgreSQL clusters that Patroni, etcd and HAProxy keep up.
//!
//! This page is the map. The folders are the architecture, a file is named after the thing in it, and `tests/layers` holds the directions
//! below: an import that is not in its table fails.
//!
//! # Layers
//!
//! A layer imports only from those above it.
//!
//! | module | what it is | knows of |
//! |---|---|---|
//! | [`model`] | what is known: plain data. No IO, no clock, no screen | nothing |
//! | [`userfile`] | files that a user writes, read strictly, mistakes with their line and column | `model` |
//! | [`command`] | every command once, keys, keymaps | `userfile` |
//! | [`theme`] | roles and what they look like on the terminals there are | `model`, `userfile` |
//! | [`finding`] | what it means: one rule per file, from the cluster at a moment to findings; from where on something is too much | `model` |
//! | [`log`] | what the nodes say: lines of several machines read, put in order, searched | `model` |
//! | [`permit`] | who may change something: the machine's policy file, decided once | `model` |
//! | [`config`] | where the cluster is: our file, patronictl's, the environment, libpq's, each value with its origin | `finding` (the limits), `model` |
//! | [`credential`] | passwords and a private CA, made anew | nothing |
//! | [`template`] | the text of every file that a cluster is started from: parameters in, text out | nothing |
//! | [`lab`] | the practice cluster and its faults | `credential`, `template` |
//! | [`source`] | reading etcd, Patroni, PostgreSQL, HAProxy, Airflow's metadata, RabbitMQ, and over ssh the nodes' logs and the nodes themselves; nothing in it writes, and what it opens for writing takes a permit | `config`, `log`, `model`, `permit` |
//! | [`scaffold`] | the files of a whole estate from a short inventory, compared with those that are there | `credential`, `log` (what is masked), `model`, `source` (Airflow's grants), `template`, `userfile` |
//! | [`action`] | writing: what can be done, checked before, sent once, proved after, written down | `config`, `finding`, `model`, `permit`, `source` |
//! | [`document`] | the whole picture as one document | `finding`, `model` |
//! | [`doctor`] | what would hurt in a failover: judgements of the cluster, and of what is read for them once | `document`, `finding`, `model` |
//! | [`condition`] | conditions over the document, in CEL | `document`, `model` |
//! | [`runbook`] | runbooks, read strictly, what a step comes to, and what of a run was done | `condition`, `document`, `model`, `userfile` |
//! | [`live`] | the sources feed the cluster, the cluster the findings, both the document | `config`, `source`, `model`, `finding`, `document` |
//! | [`app`] | the console as a pure machine: a message in, effects out | `action`, `command`, `doctor`, `document`, `log`, `model`, `runbook` |
//! | [`ui`] | from the machine's state to cells | `action`, `app`, `command`, `condition`, `doctor`, `document`, `log`, `model`, `runbook`, `theme` |
//! | [`shell`] | the edge: the terminal, signals, one write for each frame | `ui`, `app`, `runbook`, `theme`, `command`, `userfile`, `doctor`, `document`, `log`, `model` |
//! | [`cli`] | one file for each subcommand; puts the rest together | nearly all |
//!
//! # What always holds
//!
//! 1. **Every fact is an observation.** A source says [`model::Observation`], [`model::Cluster::apply`] folds it in, and nothing else changes the
//!    cluster. The console, `status`, `events` and the tests are one program with different feeders.
//! 2. **One document.** What [`live::Picture`] gives is what `status --json` prints and what the panes draw.
//! 3. **Unknown is not zero, old is not current.** A value keeps its age and why there is no newer one ([`model::Observed`]); a number that is not
//!    known is `null`. Nothing is called healthy that was not verified within its freshness limit ([`model::SourceKind::freshness`]).
//! 4. **The pure layers are pure.** `model`, `finding`, `document` and `app` have no IO and no clock; the time is an argument.
//! 5. **Text from outside is hostile.** It passes [`model::clean`] where it becomes a fact, before anything can show it.
//! 6. **A failing source is a state of the data.** It fails alone, within its own deadline, and shows the last value, its age and the reason.
//! 7. **The latest wins.** A source has one slot for what it last said; nothing queues without a bound.
//! 8. **Nothing changed, nothing sent.** A frame is drawn when something is different, and it is one write.
//!
//! # Where is ...
//!
//! | looked for | found in |
//! |---|---|
//! | who leads, the four truths | `model/leadership.rs` |
//! | how far a replica is behind | `model/lag.rs` |
//! | whether etcd's majority decides | `model/quorum.rs` |
//! | how etcd's members have done lately, what they count | `model/etcd_trend.rs`, `model/etcd_metrics.rs` |
//! | what Airflow runs, and whether that allows a switchover now | `source/airflow/`, `model/airflow.rs`; `finding/quiet.rs` |
//! | what RabbitMQ's nodes and queues say, and who hangs | `source/rabbitmq/`, `model/rabbitmq.rs`; `finding/rabbitmq_*.rs` |
//! | Airflow's pools that are frozen, by whom they are changed, and what is remembered of them | `action/freeze.rs`, `action/thaw.rs`, `action/airflow_order.rs`, `action/airflow_api.rs`, `action/pool_memory.rs`; `model/frozen.rs`, `finding/pools_frozen.rs` |
//! | the disk with the DAGs, the target and its ledger | `source/ssh/dags.rs`, `source/ssh/target.rs`, `source/ssh/ledger.rs`; `model/dags.rs`, `model/target_machine.rs` |
//! | what would run twice after an outage | `model/rescue.rs`, `finding/rescue_window.rs`; `cli/rescue.rs`, `cli/remembered.rs` |
//! | which certificates were shown | `source/certificate.rs`, `model/certificate.rs` |
//! | where clients are sent | `model/route.rs` |
//! | Patroni's keys in etcd, and its REST API's answers, parsed | `model/dcs.rs`, `model/patroni.rs` |
//! | what counts as a change (`pgbaton events`) | `model/change/` |
//! | why another leads, and what that rests on | `model/succession.rs` |
//! | when a finding is raised, and when it is over | `finding/tracker.rs` |
//! | how a silence is told: who hangs, who does not run, what is out of reach | `finding/silence.rs` |
//! | the names in a finding's steps | `finding/steps.rs` |
//! | a finding's rule | `finding/`, the code as the file's name |
//! | what would hurt in a failover, and how HAProxy's file is read for it | `doctor/`, one file each; `doctor/haproxy/` |
//! | what is asked once for that, of the nodes too | `cli/doctor/survey.rs`, `source/ssh/survey.rs`; `model/node_settings.rs` |
//! | the headline's sentence | `document/headline.rs` |
//! | the JSON's fields | `document/schema/` |
//! | which sources run, and when they stop | `source/collector.rs` |
//! | how often a source is asked, its deadline, when it is old | `model/source.rs` |
//! | the SQL that is run | `source/postgres/query.rs` |
//! | what is run on a node over ssh | `source/ssh/command.rs`, `source/ssh/scripts/` |
//! | what a node tells of itself, and where its data lies | `source/ssh/host.rs`, `source/ssh/host_answer.rs`, `source/ssh/homes.rs`; `model/host.rs` |
//! | when a disk will be full | `model/space_trend.rs` |
//! | where a program's log is | `source/ssh/place.rs` |
//! | what is read next of a log after rotation, a lost line | `source/ssh/course.rs` |
//! | what a key does | `command/`, then `app/update.rs` |
//! | a keymap, and what is wrong with one | `keymaps/`; `command/library.rs`, `command/layer.rs` |
//! | why a command cannot run now | `app/possible.rs` |
//! | a text that is typed, and when it confirms | `app/editor.rs`, `app/typing.rs` |
//! | a format of the nodes' logs, the order of their lines, what is masked, lines explained | `log/`, one file each; `log/known/` |
//! | where one is in the logs | `app/logs.rs` |
//! | a pane | `ui/panes/`, one file each |
//! | what can be done to a cluster, and its checks | `action/`, one file each; `action/checks/` |
//! | who may do it | `permit/`, then `cli/mode.rs` |
//! | what another has to approve, and whose word that is | `permit/approval.rs`, `permit/requests.rs`; `action/request.rs` |
//! | what is written down of it | `action/audit.rs`; `action/syslog.rs` |
//! | whether clients have followed another leader | `document/routes.rs`, `app/act.rs` |
//! | how long writes were away | `action/probe.rs` asks, `action/downtime.rs` counts; `app/outage.rs` keeps it with a run |
//! | what HAProxy is told when another leads, and what it does with that | `action/assist.rs`, `action/server_state.rs` |
//! | a subcommand | `cli/`, one file or folder each |
//! | what a runbook's step can be | `runbook/step.rs`; what it comes to: `runbook/task.rs`; how it is taken: `cli/runbook/`, `app/book.rs` |
//! | a fault of the practice cluster | `lab/` |
//! | a line of patroni.yml, haproxy.cfg, a unit, of the lab or of `pgbaton scaffold` | `template/`, one file for each program |

pub mod action;
pub mod app;
pub mod cli;
pub mod command;
pub mod condition;
pub mod config;
pub mod credential;
pub mod doctor;
pub mod document;
pub mod finding;
pub mod lab;
pub mod live;
pub mod log;
pub mod model;
pub mod permit;
pub mod runbook;
pub mod scaffold;
pub mod shell;
pub mod source;
pub mod template;
pub mod theme;
pub mod ui;
pub mod userfile;
