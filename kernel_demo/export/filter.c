#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { K = $size, R = K / 2 };
static const double kernel[K][K] = {
$rows
};
static const double offset = $offset; /* grey levels */
static const double around = $around; /* grey levels, where inside() is -1 */

/* The pixel that stands for index i of n: border "$border". */
static int inside(int i, int n) {
    $inside
}

int main(void) {
    int type, width, height, maximum;
    FILE *file = fopen("before.pnm", "rb");
    if (!file || fscanf(file, "P%d %d %d %d", &type, &width, &height, &maximum) != 4
        || (type != 5 && type != 6) || maximum != 255) {
        fprintf(stderr, "before.pnm is no 8-bit binary PGM or PPM\n");
        return 1;
    }
    fgetc(file);
    int channels = type == 6 ? 3 : 1;
    size_t count = (size_t)width * height * channels;
    unsigned char *before = malloc(count);
    $type *after = malloc(count * sizeof *after);
    if (!before || !after || fread(before, 1, count, file) != count) return 1;
    fclose(file);

    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++) {
                double sum = offset;
                for (int i = 0; i < K; i++)
                    for (int j = 0; j < K; j++) {
                        int row = inside(y + i - R, height), column = inside(x + j - R, width);
                        sum += kernel[i][j] * (row < 0 || column < 0 ? around
                            : before[((size_t)row * width + column) * channels + c]);
                    }
                after[((size_t)y * width + x) * channels + c] = $stored;
            }

    $write
    return fclose(file);
}
