#include "base/pool.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <mutex>
#include <pthread.h>
#include <sched.h>
#include <string>
#include <thread>
#include <vector>

namespace pyrad {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto poll_interval = std::chrono::milliseconds(30);
constexpr int spins_before_sleep = 2000;

struct Job {
    i64 count, grain, tiles;
    void *context;
    TileBody body;
    std::atomic<i64> next{0};
    std::atomic<bool> cancel{false};
    std::mutex error_mutex;
    std::exception_ptr error;
};

thread_local InterruptHook *interrupt_hook = nullptr;
thread_local Clock::time_point last_poll{};
thread_local Job *current_job = nullptr;

bool interrupted() {
    if (!interrupt_hook)
        return false;
    const auto now = Clock::now();
    if (now - last_poll < poll_interval)
        return false;
    last_poll = now;
    return (*interrupt_hook)();
}

// Claims tiles until none is left, the job is cancelled or a tile throws.
void work(Job &job, int worker) {
    Job *outer = current_job;
    current_job = &job;
    try {
        for (;;) {
            if (job.cancel.load(std::memory_order_relaxed))
                break;
            if (interrupted())
                throw Cancelled{};
            const i64 tile = job.next.fetch_add(1, std::memory_order_relaxed);
            if (tile >= job.tiles)
                break;
            const i64 begin = tile * job.grain;
            job.body(job.context, begin, std::min(begin + job.grain, job.count), worker);
        }
    } catch (...) {
        std::lock_guard<std::mutex> lock(job.error_mutex);
        if (!job.error)
            job.error = std::current_exception();
        job.cancel = true;
    }
    current_job = outer;
}

int default_threads() {
    for (const char *name : {"PYRAD_NUM_THREADS", "OMP_NUM_THREADS"})
        if (const char *text = std::getenv(name)) {
            const int n = std::atoi(text);
            if (n > 0)
                return n;
        }
    int cpus = static_cast<int>(std::thread::hardware_concurrency());
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        cpus = CPU_COUNT(&set);
    std::ifstream quota_file("/sys/fs/cgroup/cpu.max"); // "max 100000" or "200000 100000"
    std::string quota;
    double period = 0;
    if (quota_file >> quota >> period && quota != "max" && period > 0)
        cpus = std::min(cpus, std::max(1, static_cast<int>(std::stod(quota) / period + 0.5)));
#endif
    return std::max(1, cpus);
}

class Pool {
  public:
    explicit Pool(int threads) : threads_(threads) {}

    int threads() const { return threads_.load(); }
    std::mutex &busy() { return busy_; }

    void resize(int threads) {
        std::lock_guard<std::mutex> only(busy_);
        stop_workers();
        threads_ = threads;
    }

    // Caller holds busy().
    void run(Job &job) {
        if (workers_.empty())
            start_workers();
        {
            std::lock_guard<std::mutex> lock(mutex_);
            job_ = &job;
            active_ = static_cast<int>(workers_.size());
            ++generation_;
        }
        wake_.notify_all();
        work(job, 0);
        wait_for_workers(job);
    }

  private:
    void wait_for_workers(Job &job) {
        for (int spin = 0; spin < spins_before_sleep; ++spin)
            if (active_.load(std::memory_order_acquire) == 0)
                break;
        std::unique_lock<std::mutex> lock(mutex_);
        while (active_ != 0) {
            done_.wait_for(lock, poll_interval);
            lock.unlock(); // the hook takes the GIL: never under our lock
            if (!job.cancel && interrupted()) {
                std::lock_guard<std::mutex> error_lock(job.error_mutex);
                if (!job.error)
                    job.error = std::make_exception_ptr(Cancelled{});
                job.cancel = true;
            }
            lock.lock();
        }
        job_ = nullptr;
    }

    void start_workers() {
        stopping_ = false;
        for (int i = 1; i < threads_; ++i)
            workers_.emplace_back(
                [this, i, seen = generation_.load()]() mutable { loop(i, seen); });
    }

    void stop_workers() {
        {
            std::lock_guard<std::mutex> lock(mutex_);
            stopping_ = true;
        }
        wake_.notify_all();
        for (auto &worker : workers_)
            worker.join();
        workers_.clear();
    }

    void loop(int worker, u64 seen) {
        for (;;) {
            for (int spin = 0; spin < spins_before_sleep && generation_.load() == seen; ++spin)
                ;
            Job *job;
            {
                std::unique_lock<std::mutex> lock(mutex_);
                wake_.wait(lock, [&] { return stopping_ || generation_ != seen; });
                if (stopping_)
                    return;
                seen = generation_;
                job = job_;
            }
            work(*job, worker);
            std::lock_guard<std::mutex> lock(mutex_);
            if (--active_ == 0)
                done_.notify_one();
        }
    }

    std::atomic<int> threads_;
    std::mutex busy_, mutex_;
    std::condition_variable wake_, done_;
    std::vector<std::thread> workers_;
    std::atomic<u64> generation_{0};
    std::atomic<int> active_{0};
    Job *job_ = nullptr;
    bool stopping_ = false;
};

Pool *instance = nullptr;

// The child of a fork has none of the threads and maybe a locked mutex: leave the old pool behind.
void after_fork_in_child() {
    if (instance)
        instance = new Pool(instance->threads());
}

Pool &pool() {
    static const bool made = [] {
        instance = new Pool(default_threads()); // never destroyed: workers may outlive main()
        pthread_atfork(nullptr, nullptr, after_fork_in_child);
        return true;
    }();
    (void)made;
    return *instance;
}

} // namespace

void set_num_threads(int count) { pool().resize(std::max(1, count)); }
int num_threads() { return pool().threads(); }

InterruptScope::InterruptScope(InterruptHook hook)
    : hook_(std::move(hook)), former_(interrupt_hook) {
    interrupt_hook = &hook_;
    last_poll = Clock::now();
}
InterruptScope::~InterruptScope() { interrupt_hook = former_; }

void poll() {
    if ((current_job && current_job->cancel.load(std::memory_order_relaxed)) || interrupted())
        throw Cancelled{};
}

void run_tiles(i64 count, i64 grain, void *context, TileBody body) {
    if (count <= 0)
        return;
    grain = std::max<i64>(1, grain);
    Job job{count, grain, (count + grain - 1) / grain, context, body, {}, {}, {}, {}};
    Pool &p = pool();
    std::unique_lock<std::mutex> alone(p.busy(), std::defer_lock);
    if (job.tiles > 1 && p.threads() > 1 && !current_job && alone.try_lock())
        p.run(job);
    else
        work(job, 0);
    if (job.error)
        std::rethrow_exception(job.error);
}

} // namespace pyrad
