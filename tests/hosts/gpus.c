/* CUDA's driver with GPUS GPUs that do not exist: a copy is a copy on the host, and takes as long as
   RATE says. Those of the GPU SLOW take twice as long; the GPU LOST fails after 400 copies, the
   GPU WRONG leaves out the last bytes. Built
   by tests/hosts/test_check.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RATE 6e9      /* bytes a second */
#define LATENCY 3e-4  /* seconds: a wait so long is kept well enough beside other tests */
#define UNSPECIFIED 719

static int gpu, copies;
static struct { char *start; size_t size; } pinned[16];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static int copied(void *target, const void *source, size_t n) {
    double end = now() + (LATENCY + n / RATE) * (gpu == SLOW ? 2 : 1);
    if (memcmp(target, source, 64)) /* else it is there: who changes it, changes all of it */
        memcpy(target, source, gpu == WRONG ? n - 8 : n);
    if (end > now()) {
        double left = end - now();
        nanosleep(&(struct timespec){0, left * 1e9}, NULL);
    }
    return gpu == LOST && ++copies > 400 ? UNSPECIFIED : 0;
}

int cuInit(unsigned flags) { return 0; }
int cuDriverGetVersion(int *version) { return *version = 13000, 0; }

static int first(void) {
    const char *visible = getenv("CUDA_VISIBLE_DEVICES");
    return visible && *visible ? atoi(visible) : 0;
}

int cuDeviceGetCount(int *count) {
    const char *visible = getenv("CUDA_VISIBLE_DEVICES");
    *count = visible && *visible ? 1 : GPUS;
    return 0;
}

int cuDeviceGet(int *device, int index) { return gpu = first() + index, *device = index, 0; }
int cuDeviceGetName(char *name, int size, int device) { return strncpy(name, "Test GPU", size), 0; }
int cuDeviceGetUuid_v2(char *uuid, int device) { return memset(uuid, 7 + first() + device, 16), 0; }
int cuDeviceGetPCIBusId(char *bus, int size, int device) {
    return snprintf(bus, size, "0000:%02X:00.0", first() + device), 0;
}
int cuDevicePrimaryCtxRetain(void **context, int device) { return *context = context, 0; }
int cuCtxSetCurrent(void *context) { return 0; }
int cuCtxSynchronize(void) { return gpu == LOST && copies > 400 ? UNSPECIFIED : 0; }
int cuGetErrorString(int error, const char **text) { return *text = "unspecified launch failure", 0; }
int cuMemAlloc_v2(unsigned long long *device, size_t n) {
    return *device = (unsigned long long)malloc(n), 0;
}
int cuMemHostAlloc(void **host, size_t n, unsigned flags) {
    static int number;
    pinned[number].start = *host = malloc(n);
    pinned[number++].size = n;
    return 0;
}
int cuPointerGetAttribute(unsigned *kind, int attribute, char *pointer) {
    for (int i = 0; i < 16; i++)
        if (pointer >= pinned[i].start && pointer < pinned[i].start + pinned[i].size)
            return *kind = 1, 0;
    return 1; /* pageable */
}
int cuMemcpyHtoD_v2(unsigned long long device, void *host, size_t n) {
    return copied((void *)device, host, n);
}
int cuMemcpyDtoH_v2(void *host, unsigned long long device, size_t n) {
    return copied(host, (void *)device, n);
}
