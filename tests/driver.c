/* As much of CUDA's driver as the harness asks for, on a machine that has none: it says that it did
   all of it, and only copies, as the device of the tests is the host. Built by tests/conftest.py;
   VERSION is what cuDriverGetVersion answers, UUID each byte of the GPU's. */
#include <string.h>

int cuInit(unsigned flags) { return 0; }
int cuDriverGetVersion(int *version) { return *version = VERSION, 0; }
int cuDeviceGetCount(int *count) { return *count = 1, 0; }
int cuDeviceGetName(char *name, int size, int device) { return strncpy(name, "Test GPU", size), 0; }
int cuDeviceGetUuid_v2(char *uuid, int device) { return memset(uuid, UUID, 16), 0; }
int cuDeviceGet(int *device, int index) { return *device = index, 0; }
int cuDevicePrimaryCtxRetain(void **context, int device) { return *context = context, 0; }
int cuCtxSetCurrent(void *context) { return 0; }
int cuCtxSynchronize(void) { return 0; }
int cuDeviceGetPCIBusId(char *bus, int size, int device) { return strncpy(bus, "none", size), 0; }
int cuPointerGetAttribute(void *data, int attribute, void *pointer) { return 1; /* pageable */ }
int cuMemcpyDtoH_v2(void *host, unsigned long long device, size_t n) {
    return memcpy(host, (void *)device, n), 0;
}
