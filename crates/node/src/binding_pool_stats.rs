//! A pool's counters as JavaScript gets them.

use isolane::PoolStats;
use napi_derive::napi;

/// One worker's share of a pool.
#[napi(object)]
pub struct BindingWorkerStats {
    pub id: String,
    pub isolates: f64,
    pub requests: f64,
    pub heap_used_bytes: f64,
}

/// Counters of a pool; whole numbers below 2^53.
#[napi(object)]
pub struct BindingPoolStats {
    pub total: f64,
    pub cached: f64,
    pub capacity: f64,
    pub hits: f64,
    pub misses: f64,
    pub evictions: f64,
    pub condemned: f64,
    pub in_flight: f64,
    pub queued: f64,
    pub workers: Vec<BindingWorkerStats>,
    pub respawns: f64,
}

impl From<PoolStats> for BindingPoolStats {
    fn from(stats: PoolStats) -> Self {
        let workers = stats.workers.into_iter().map(|worker| BindingWorkerStats {
            id: worker.id,
            isolates: worker.isolates as f64,
            requests: worker.requests as f64,
            heap_used_bytes: worker.heap_used_bytes as f64,
        });
        Self {
            total: stats.total as f64,
            cached: stats.cached as f64,
            capacity: stats.capacity as f64,
            hits: stats.hits as f64,
            misses: stats.misses as f64,
            evictions: stats.evictions as f64,
            condemned: stats.condemned as f64,
            in_flight: stats.in_flight as f64,
            queued: stats.queued as f64,
            workers: workers.collect(),
            respawns: stats.respawns as f64,
        }
    }
}
