package iam

import "github.com/gatehouse-iam/gatehouse/internal/service"

func registerBoundaries(*service.Registry, *Service) {}
