package iam

import "github.com/gatehouse-iam/gatehouse/internal/service"

func registerRoles(*service.Registry, *Service) {}
