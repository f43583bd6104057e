/* What the numbers are checked against, in C: cudaMemcpy in a loop, and the busy link.

   memcpy loop NBYTES    seconds of one pinned cudaMemcpy to the device and the wait for it: the
                         least of the means of 200 batches that fill 4 ms
   memcpy link NBYTES    seconds of one copy, 16 queued back to back, device events around them, as
                         nvbandwidth's host_to_device_memcpy_ce; the median of 9 */
#include <cuda_runtime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHECK(call)                                                                          \
    do {                                                                                     \
        cudaError_t error = call;                                                            \
        if (error) {                                                                         \
            fprintf(stderr, "%s: %s\n", #call, cudaGetErrorString(error));                   \
            exit(1);                                                                         \
        }                                                                                    \
    } while (0)

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double loop(void *device, void *host, size_t nbytes) {
    double least = 1e9;
    int count = 1 + 0.004 / (5e-6 + nbytes / 50e9);
    for (int batch = 0; batch < 200; batch++) {
        double start = now();
        for (int i = 0; i < count; i++) {
            CHECK(cudaMemcpy(device, host, nbytes, cudaMemcpyHostToDevice));
            CHECK(cudaDeviceSynchronize());
        }
        double mean = (now() - start) / count;
        if (batch && mean < least) least = mean;
    }
    return least;
}

static double link_(void *device, void *host, size_t nbytes) {
    double taken[9];
    cudaEvent_t start, end;
    CHECK(cudaEventCreate(&start));
    CHECK(cudaEventCreate(&end));
    for (int sample = 0; sample < 9; sample++) {
        float milliseconds;
        CHECK(cudaEventRecord(start, 0));
        for (int i = 0; i < 16; i++)
            CHECK(cudaMemcpyAsync(device, host, nbytes, cudaMemcpyHostToDevice, 0));
        CHECK(cudaEventRecord(end, 0));
        CHECK(cudaEventSynchronize(end));
        CHECK(cudaEventElapsedTime(&milliseconds, start, end));
        taken[sample] = milliseconds / 1000 / 16;
    }
    qsort(taken, 9, sizeof *taken, ascending);
    return taken[4];
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    size_t nbytes = strtoull(argv[2], 0, 10);
    void *host, *device;
    CHECK(cudaHostAlloc(&host, nbytes, cudaHostAllocDefault));
    memset(host, 0x5a, nbytes);
    CHECK(cudaMalloc(&device, nbytes));
    printf("%.9e\n", (strcmp(argv[1], "loop") ? link_ : loop)(device, host, nbytes));
    return 0;
}
