FROM golang:1.26-alpine AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -buildvcs=false -o /bin/ ./examples/primes ./cmd/nws ./cmd/sleigh

FROM alpine:3
COPY --from=build /bin/primes /bin/nws /bin/sleigh /usr/local/bin/
USER nobody
ENTRYPOINT ["primes"]
