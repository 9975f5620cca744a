//! What to connect to, and where each value of it came from.
//!
//! Looked for in this order, the first that is there is used: `-c FILE`, `PGBATON_CONFIG`, `pgbaton.toml` in the XDG
//! place, `PATRONICTL_CONFIG_FILE`, patronictl's usual place, a node's `/etc/patroni/patroni.yml`, the `PATRONI_*`
//! variables alone. Over a file of Patroni's lie the `PATRONI_*` variables, and `DCS_URL`. PostgreSQL's part comes from
//! pgbaton.toml, a libpq service, and libpq's variables, in that order.
//!
//! ```text
//! search -> text -> toml_tree, yaml_tree -> section -> pgbaton_toml, patroni_yaml, patroni_env, libpq -> draft
//!        -> resolve -> profile + facts
//! ```
//!
//! Nothing here connects to anything.

mod airflow;
mod diagnostic;
mod draft;
mod endpoint;
mod env;
mod estate;
mod fact;
mod file;
mod libpq;
mod load;
mod login;
mod node;
mod origin;
mod passfile;
mod patroni;
mod patroni_env;
mod patroni_yaml;
mod pgbaton_airflow;
mod pgbaton_console;
mod pgbaton_estate;
mod pgbaton_haproxy;
mod pgbaton_limits;
mod pgbaton_rabbitmq;
mod pgbaton_ssh;
mod pgbaton_toml;
mod profile;
mod resolve;
mod search;
mod section;
mod select;
mod toml_tree;
mod yaml_tree;
mod yaml_value;

pub use airflow::{AirflowApi, AirflowCli, AirflowHealthEndpoint, AirflowProfile, ApiCredential, ApiSecret, PoolsBy};
pub(crate) use diagnostic::nearest;
pub use diagnostic::{ConfigError, Diagnostic};
pub use env::Env;
pub use estate::{DagsProfile, LedgerFormat, TargetBook, TargetProfile};
pub use fact::Fact;
pub(crate) use fact::toml_key;
pub use load::{Request, load};
pub use login::Login;
pub use origin::{Origin, Setting};
pub use passfile::{PassFile, PassFileError};
pub use pgbaton_console::{LAYOUTS, NOTIFY, WHEN};
pub use profile::*;
pub use search::Looked;
pub use select::{Config, Kind, Selected};
pub use yaml_value::{yaml_text, yaml_value};
